/** A copy of a partition in a simulated instance: it reads the log, is promoted, writes, and is fenced. */
import type { Holding } from '../../../../lib/group-protocol/member.ts'
import type { SimulatedLog } from './log.ts'
import type { SimulatedProcess } from './process.ts'

/** Entries behind the end up to which a copy becomes ready, and beyond which it is not any longer. */
const readyLag = 2
const unreadyLag = 30
/** Entries that a copy reads, and a primary writes, in one step. */
const readsMax = 12

export interface CopyFaults {
  /** Writes before it has read its own marker. */
  writesEarly?: boolean
  /** Claims that nothing is missing although the source was not read to its end. */
  claimsComplete?: boolean
}

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
  #epoch = -1
  #marker = -1
  /** Numbers promotions, so that a late answer to a former one changes nothing. */
  #promotions = 0
  /** End of the source when it became primary. */
  #sourceEnd = 0

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
      bytes: 1,
      term: this.#log.upTo(position).term,
      isReady,
      isPrimary: this.isClaimed,
      isPromoting: state === 'promoting',
      isComplete,
      hasStrangers: false,
      isHalfRead: position * 2 >= this.#log.end,
    }
  }

  /**
   * @param isStable no plan is being made from a report that does not have what begins now
   * @returns false if another instance has taken the partition
   */
  step(sourceEnd: number, isStable: boolean): boolean {
    if (!this.#process.isCut) {
      this.position = Math.min(this.#log.end, this.position + this.#process.chance(readsMax + 1))
      const lag = this.#log.end - this.position
      if (lag <= readyLag) this.isReady = true
      else if (lag > unreadyLag && this.state === 'copy') this.isReady = false
    }
    if (isStable && this.isClaimed && this.isReady && this.state === 'copy') this.#promote(sourceEnd)
    if (this.state === 'promoting' && this.#marker >= 0 && this.#isAtMarker()) this.state = 'primary'
    return this.state !== 'primary' || this.#process.isCut || this.#write(sourceEnd)
  }

  demote(): void {
    this.isClaimed = false
    this.state = 'copy'
    this.#promotions++
    this.#marker = -1
  }

  #isAtMarker(): boolean {
    return this.#faults.writesEarly === true || this.position > this.#marker
  }

  #promote(sourceEnd: number): void {
    this.state = 'promoting'
    this.#sourceEnd = sourceEnd
    const promotion = ++this.#promotions
    const fence = () => {
      const granted = this.#process.ask<{ epoch: number; marker: number }>((answer) => {
        answer({ epoch: this.#log.fence(), marker: this.#log.end - 1 })
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
    let { nextSource } = this.#log.upTo(this.position)
    for (let left = readsMax; left > 0 && nextSource < sourceEnd; left--) {
      if (!this.#log.append(this.#epoch, nextSource++)) {
        this.demote()
        return false
      }
      this.position = this.#log.end
    }
    if (nextSource >= this.#sourceEnd || this.#faults.claimsComplete === true) this.isComplete = true
    return true
  }
}
