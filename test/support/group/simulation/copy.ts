/** A copy of a partition in a simulated instance: it reads the log, is promoted, writes, and is fenced. */
import type { Holding } from '../../../../lib/group-protocol/member.ts'
import type { CopyFaults } from './faults.ts'
import type { SimulatedLog } from './log.ts'
import type { SimulatedProcess } from './process.ts'

/** Entries behind the end up to which a copy becomes ready, and beyond which it is not any longer. */
const readyLag = 2
const unreadyLag = 30
/** Entries that a copy reads, and a primary writes, in one step. */
const readsMax = 12
/** Time after which the end of the log that a copy knows says nothing of its lag. */
const knownForMs = 1_000

export class SimulatedCopy {
  readonly partition: number
  readonly #log: SimulatedLog
  readonly #process: SimulatedProcess
  readonly #faults: CopyFaults
  position = 0
  isReady = false
  isComplete = false
  /** Primary, or to be primary as soon as it is ready. */
  isClaimed = false
  state: 'copy' | 'promoting' | 'primary' = 'copy'
  /** End of the log when the copy read last. */
  knownEnd = 0
  #knownAtMs = Number.NEGATIVE_INFINITY
  #epoch = -1
  /** Position of the own marker, once the partition is granted. */
  #marker: number | undefined
  /** Numbers promotions, so that a late answer to a former one changes nothing. */
  #promotions = 0
  /** End of the source when it became primary. */
  #sourceEnd = 0
  /** Where a promotion with a planted defect continues; undefined: behind what the changelog has. */
  #resumed: number | undefined
  #written: number | undefined

  constructor(partition: number, log: SimulatedLog, process: SimulatedProcess, faults: CopyFaults = {}) {
    this.partition = partition
    this.#log = log
    this.#process = process
    this.#faults = faults
  }

  holding(): Holding {
    const { partition, position, isReady, isComplete, state } = this
    return {
      partition,
      position,
      bytes: this.#log.bytes,
      term: this.#log.upTo(position).term,
      isReady,
      isPrimary: this.isClaimed,
      isPromoting: state === 'promoting',
      isComplete,
      hasStrangers: this.#log.hasStrangersIn(position),
      isHalfRead: position * 2 >= this.#log.end,
      isStalled: false,
    }
  }

  /** Whether it has a key, which is the offset of its record in the source. */
  has(source: number): boolean {
    return source < this.#log.upTo(this.position).nextSource
  }

  /** Entries behind the end that the copy knows; null if it does not know one of now. */
  lag(nowMs: number): number | null {
    return nowMs - this.#knownAtMs > knownForMs ? null : this.knownEnd - this.position
  }

  /**
   * @param isStable no plan is being made from a report that does not have what begins now
   * @returns false if another instance has taken the partition
   */
  step(sourceEnd: number, isStable: boolean, nowMs: number): boolean {
    if (!this.#process.isCut) {
      this.position = Math.min(this.#log.end, this.position + this.#process.chance(readsMax + 1))
      this.knownEnd = this.#log.end
      this.#knownAtMs = nowMs
      const lag = this.knownEnd - this.position
      if (lag <= readyLag) this.isReady = true
      else if (lag > unreadyLag && this.state === 'copy') this.isReady = false
    }
    if (isStable && this.isClaimed && this.isReady && this.state === 'copy') this.#promote(sourceEnd)
    if (this.state === 'promoting' && this.#isAtMarker()) this.#begin()
    return this.state !== 'primary' || this.#process.isCut || this.#write(sourceEnd)
  }

  demote(): void {
    this.isClaimed = false
    this.state = 'copy'
    this.#promotions++
    this.#marker = undefined
  }

  #isAtMarker(): boolean {
    if (this.#marker === undefined) return false
    return this.#faults.writesEarly === true || this.position > this.#marker
  }

  #begin(): void {
    this.state = 'primary'
    this.#resumed = undefined
    if (this.#faults.resumesFromCommit === true) this.#resumed = this.#log.committed
    if (this.#faults.losesTrail === true) this.#resumed = this.#written
  }

  #promote(sourceEnd: number): void {
    this.state = 'promoting'
    this.#sourceEnd = sourceEnd
    const promotion = ++this.#promotions
    const fence = () => {
      const granted = this.#process.ask<{ epoch: number; marker: number }>((answer) => {
        const epoch = this.#faults.fencesNothing === true ? this.#log.epoch : this.#log.fence()
        answer({ epoch, marker: this.#log.end - 1 })
      })
      granted.then(
        ({ epoch, marker }) => {
          if (promotion !== this.#promotions) return
          this.#epoch = epoch
          this.#marker = marker
        },
        () => {
          if (promotion === this.#promotions) fence()
        },
      )
    }
    fence()
  }

  /** Continues behind the highest offset that it has read. */
  #write(sourceEnd: number): boolean {
    let nextSource = this.#resumed ?? this.#log.upTo(this.position).nextSource
    this.#resumed = undefined
    for (let left = readsMax; left > 0 && nextSource < sourceEnd; left--) {
      if (!this.#log.append(this.#epoch, nextSource++)) {
        this.demote()
        return false
      }
      this.position = this.#log.end
      this.#written = nextSource
    }
    if (this.#process.chance(5) === 0) this.#log.committed = nextSource
    if (nextSource >= this.#sourceEnd || this.#faults.claimsComplete === true) this.isComplete = true
    return true
  }
}
