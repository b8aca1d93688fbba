/**
 * Keeps the maps of all store threads within MEMORY_MAX. At the bound nothing more is read; what was decoded before
 * still gets its place. First the cleaner makes what room there is. If that is not enough, the store is full: lookups
 * continue, and it reads again only when cleaning has made room.
 */
import type { LatchkeyError } from '../../errors.ts'
import { releaseMemory } from '../../linux/release-memory.ts'
import type { ChiralMap } from '../../map/index.ts'
import { bufferReserveOf, mapBudgetOf, MemoryLedger, recoveryBudgetOf } from '../../store-protocol/memory-budget.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import type { FromThread } from '../../store-protocol/thread-messages.ts'
import { doesNotFit, type Expected, fits } from '../../topics/memory-fit.ts'
import { FullReport } from './full-report.ts'
import { MapNeeds } from './map-needs.ts'
import { MemoryRoom, roomyShare } from './memory-room.ts'

/** Minimum time between two measurements while records arrive: some megabytes of ingest. */
const apartMs = 10
/** Interval of measurements while none arrive. */
const intervalMs = 500
const decodeBytesLeast = 2 ** 20
/** Interval of looks whether the other store threads have recovered. */
const waitMs = 20
/** Time after which a store counts as full although the changelog has not acknowledged all that was decoded. */
const settleMaxMs = 5_000
/** Share of the budget from which a recovery keeps fewer dead entries. */
const recoveryTightShare = 0.85
/** The usual number of dead entries is kept again when all fits into this share of the budget with them. */
const relaxedShare = 0.8

export interface GuardOptions {
  config: StoreConfig
  map: ChiralMap
  stats: Stats
  /** Number of store threads that share the bound. */
  threads: number
  /** Publishes and cleans. */
  flush: () => Promise<void>
  post: (message: FromThread) => void
  failed: (error: unknown) => void
}

export class MemoryGuard {
  /** Of what snapshots take. */
  readonly room: MemoryRoom
  readonly #options: GuardOptions
  readonly #report: FullReport
  readonly #ledger: MemoryLedger
  readonly #needs: MapNeeds
  readonly #budget: number
  readonly #listeners: (() => void)[] = []
  readonly #timer: ReturnType<typeof setInterval>
  #isTight = false
  /** Set once the changelog is read. */
  #isRecovered = false
  /** Set while another store thread recovers. */
  #isWaiting = false
  #waiting: ReturnType<typeof setTimeout> | undefined
  /** Set from the bound until cleaning has made room. */
  #isHeld = false
  #heldAt = Number.NEGATIVE_INFINITY
  #isFull = false
  #making: Promise<void> | undefined

  constructor(options: GuardOptions) {
    this.#options = options
    const { useProcessingOnly } = options.config
    this.#report = new FullReport(options)
    this.#ledger = new MemoryLedger(options.config.memoryLedger ?? MemoryLedger.buffer())
    this.#needs = new MapNeeds(options.map, options.stats, this.#ledger, bufferReserveOf(options.config))
    this.#budget = (useProcessingOnly ? undefined : mapBudgetOf(options.config)) ?? Number.POSITIVE_INFINITY
    const restoreMax = useProcessingOnly ? Number.POSITIVE_INFINITY : recoveryBudgetOf(options.config)
    this.room = new MemoryRoom(this.#needs, this.#budget, restoreMax)
    this.#timer = setInterval(() => this.#look(), intervalMs)
    this.#timer.unref()
  }

  /** Whether records of the changelog may be read into the map. */
  get mayRead(): boolean {
    return !this.#isHeld
  }

  /** Whether nothing is read although the cleaner has made what room there is. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Whether the source may be read. What another thread has still to recover must find its place first. */
  get mayIngest(): boolean {
    return !this.#isHeld && !this.#isWaiting
  }

  /** Bytes of compressed batches to decode before the next check(): near the bound less than otherwise. */
  get decodeBytesMax(): number {
    const room = (this.#budget - this.#ledger.sum('neededBytes')) / this.#options.threads
    return Math.max(decodeBytesLeast, room)
  }

  /** To be called when partitions have left the map. */
  freed(): void {
    this.#look()
  }

  /** Calls a function whenever these have changed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Counts what is decoded and will be put into the map. */
  countPending(bytes: () => number): void {
    this.#needs.countPending(bytes)
  }

  /** To be called when records were put into the map, or will be. Costs nothing if it was called just before. */
  check(): void {
    if (this.#isHeld || this.#budget === Number.POSITIVE_INFINITY || !this.#needs.isDue(apartMs)) return
    if (this.#needs.measure() > this.#budget) this.#makeRoom()
  }

  /**
   * As check(), for the changelog of primary partitions.
   * @throws LatchkeyError memory_full: half a store must not answer
   */
  checkRecovery(): void {
    if (this.#budget === Number.POSITIVE_INFINITY || !this.#needs.isDue(apartMs)) return
    let needed = this.#needs.measure()
    if (needed > this.#budget * recoveryTightShare && !this.#isTight) {
      this.#setTight(true)
      needed = this.#needs.measure()
    }
    const most = recoveryBudgetOf(this.#options.config)
    if (needed <= most) return
    this.#release()
    if (this.#needs.measure() > most) throw this.#recoveryFull()
  }

  /** To be called when the changelog of the primary partitions is read, before the source is. */
  recovered(): void {
    this.#isRecovered = true
    if (this.#options.config.elastic !== undefined) this.room.recovered()
    this.#ledger.set('recoveredThreads', 1)
    this.#wait()
    this.#look()
  }

  /** Waits until all store threads have recovered, if they share a bound. */
  #wait(): void {
    const isWaiting =
      this.#budget !== Number.POSITIVE_INFINITY && this.#ledger.sum('recoveredThreads') < this.#options.threads
    if (isWaiting) this.#waiting = setTimeout(() => this.#wait(), waitMs)
    if (isWaiting === this.#isWaiting) return
    this.#isWaiting = isWaiting
    // What the others have recovered may have used up the bound meanwhile.
    this.#look()
    this.#changed()
  }

  /**
   * Notes what this thread's partitions will need, before they are read.
   * @throws LatchkeyError memory_full if that does not fit, with what the other store threads have noted
   */
  expect({ entries, bytes, mapBytes }: Expected): void {
    const { config } = this.#options
    const all = {
      entries: this.#ledger.set('expectedEntries', entries),
      bytes: this.#ledger.set('expectedBytes', bytes),
      mapBytes: this.#ledger.set('expectedMapBytes', mapBytes),
    }
    if (!fits(config, all.mapBytes)) throw doesNotFit(config, `Starting store ${config.storeId}`, all)
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#waiting)
    this.#report.stop()
  }

  #look(): void {
    const needed = this.#needs.measure()
    if (!this.#isHeld) {
      if (needed > this.#budget && this.#isRecovered) this.#makeRoom()
      else if (this.#isTight && this.#needs.relaxedBytes() <= this.#budget * relaxedShare) this.#setTight(false)
      return
    }
    if (this.#making !== undefined) return
    this.#release()
    if (this.#needs.measure() <= this.#budget * roomyShare) this.#resume()
    else if (!this.#isFull && this.#isSettled()) {
      this.#isFull = true
      this.#report.begin()
      this.#changed()
    }
  }

  /** Whether what was decoded before the bound is in the map, so that the report says what there is. */
  #isSettled(): boolean {
    return this.#needs.pendingBytes === 0 || performance.now() - this.#heldAt >= settleMaxMs
  }

  #makeRoom(): void {
    this.#isHeld = true
    this.#heldAt = performance.now()
    this.#changed()
    const { failed } = this.#options
    this.#making = this.#clean()
      .catch(failed)
      .finally(() => {
        this.#making = undefined
        this.#look()
      })
  }

  async #clean(): Promise<void> {
    this.#setTight(true)
    await this.#options.flush()
  }

  #resume(): void {
    this.#isHeld = false
    if (this.#isFull) this.#report.end()
    this.#isFull = false
    this.#changed()
  }

  #setTight(isTight: boolean): void {
    this.#isTight = isTight
    this.#options.map.setTight(isTight)
  }

  #release(): void {
    this.#options.map.releaseFree(releaseMemory)
  }

  #recoveryFull(): LatchkeyError {
    const { config } = this.#options
    return doesNotFit(config, `Recovering store ${config.storeId}, with the changelog read in part`, this.#needs.held())
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
