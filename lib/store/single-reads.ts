/** Lookups of one key, in the order of the store threads, with the reason where a miss is to be retried. */
import { isHidden } from '../store-protocol/partition-state.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { Assignment } from './assignment.ts'
import { missReasons, rebuildingError } from './miss-reason.ts'
import { lagKnownMsOf, replicaLag } from './partition-status.ts'
import { PinnedReader } from './pinned-reader.ts'
import { primaryLag, PrimaryLease } from './primary-lease.ts'
import type { StoreThreads } from './store-threads.ts'

type FoundSoon = Lookup | undefined | Promise<Lookup | undefined>

/** Maximum time that a lookup with `max-lag` waits for another plan. */
const holdMsMax = 1_000

export class SingleReads {
  readonly #config: StoreConfig
  readonly #threads: StoreThreads
  readonly #lease: PrimaryLease | undefined
  readonly #lagKnownMs: number
  readonly #find: (key: Uint8Array) => FoundSoon

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#threads = threads
    this.#find = (key) => threads.find(key)
    this.#lease = PrimaryLease.of(config)
    this.#lagKnownMs = lagKnownMsOf(config)
  }

  /** As Store.get. @param maxLag in a group, has the lookup wait up to a second until it is certain who is primary */
  get(key: Uint8Array, maxLag?: number): FoundSoon {
    const lease = this.#lease
    return lease === undefined || maxLag === undefined ? this.#get(key) : this.#getLatest(key, lease)
  }

  #get(key: Uint8Array): FoundSoon {
    const { assignment } = this.#threads
    const publishes = this.#publishes(assignment)
    const found = this.#threads.find(key)
    if (!(found instanceof Promise)) return this.#answer(key, found, assignment, publishes)
    return found.then((lookup) => this.#answer(key, lookup, assignment, publishes))
  }

  /** Waits while it is not certain who is primary. */
  async #getLatest(key: Uint8Array, lease: PrimaryLease): Promise<Lookup | undefined> {
    for (const until = performance.now() + holdMsMax; ;) {
      await lease.settled(until)
      const found = await this.#get(key)
      // Looked at after the value was read: another instance may have written a newer one before.
      const { isFresh, isUncertain } = lease
      if (!isFresh && isUncertain && performance.now() < until) continue
      if (found !== undefined && found.replicaLag === undefined && !isFresh) found.replicaLag = null
      return found
    }
  }

  /** @param requireServing throws if the store does not serve */
  pin(requireServing: () => void): PinnedReader {
    const sources = (key: Uint8Array) => {
      requireServing()
      return this.#threads.inOrder(key).map(({ reads }) => reads)
    }
    const answer = (key: Uint8Array, find: (key: Uint8Array) => Lookup | undefined) => {
      const { assignment } = this.#threads
      const publishes = this.#publishes(assignment)
      // It waits for nothing, as finding does not.
      return this.#answer(key, find(key), assignment, publishes, find) as Lookup | undefined
    }
    return new PinnedReader(sources, answer)
  }

  /**
   * @param assignment as it was when the threads to search were selected
   * @param publishes as #publishes() was before the look
   * @param find looks again
   */
  #answer(
    key: Uint8Array,
    found: Lookup | undefined,
    assignment: Assignment,
    publishes: number,
    find = this.#find,
  ): FoundSoon {
    if (found === undefined) return this.#missed(key, assignment, find)
    this.#requireShown(found)
    const lag = this.#lagOf(found.partition, assignment)
    if (publishes === this.#publishes(assignment)) return withLag(found, lag)
    return this.#lookAgain(key, { partition: found.partition, lag }, assignment, find)
  }

  /** The lag may count what was published since. It holds for what is found now, which is the same or newer. */
  #lookAgain(
    key: Uint8Array,
    before: { partition: number; lag: number | null | undefined },
    assignment: Assignment,
    find: (key: Uint8Array) => FoundSoon,
  ): FoundSoon {
    const judged = (again: Lookup | undefined): Lookup | undefined => {
      if (again === undefined) return this.#requireMissing(key, assignment)
      this.#requireShown(again)
      return withLag(again, again.partition === before.partition ? before.lag : null)
    }
    const again = find(key)
    return again instanceof Promise ? again.then(judged) : judged(again)
  }

  /** The state is of after the look. Where partitions come and go, this one may have come between: it shows the key now. */
  #missed(key: Uint8Array, assignment: Assignment, find: (key: Uint8Array) => FoundSoon): FoundSoon {
    this.#requireMissing(key, assignment)
    if (this.#config.elastic === undefined) return undefined
    const publishes = this.#publishes(assignment)
    const judged = (again: Lookup | undefined): FoundSoon =>
      again === undefined
        ? this.#requireMissing(key, assignment)
        : this.#answer(key, again, assignment, publishes, find)
    const again = find(key)
    return again instanceof Promise ? again.then(judged) : judged(again)
  }

  #requireMissing(key: Uint8Array, assignment: Assignment): undefined {
    const reason = missReasons(assignment, this.#threads.stats, this.#config)(key)
    if (reason !== undefined) throw reason
  }

  #requireShown({ partition }: Lookup): void {
    if (this.#config.elastic === undefined || !isHidden(this.#threads.stats, partition)) return
    throw rebuildingError(this.#config, partition)
  }

  /** Rises after what a publish shows is visible, and before the lags of copies count it; 0 where no lag is stated. */
  #publishes({ replicas }: Assignment): number {
    if (this.#lease === undefined && replicas.length === 0) return 0
    const { all } = this.#threads
    let sum = all[0]!.stats.count('flushes')
    for (let index = 1; index < all.length; index++) sum += all[index]!.stats.count('flushes')
    return sum
  }

  #lagOf(partition: number, assignment: Assignment): number | null | undefined {
    const { stats } = this.#threads
    if (this.#lease !== undefined) return this.#lagInGroup(partition, this.#lease, assignment)
    if (assignment.replicas.length === 0 || stats.gauge(partition, 'role') !== 1) return undefined
    return replicaLag(stats, partition)
  }

  /** The role of this moment: a message of a change may be on its way. */
  #lagInGroup(partition: number, lease: PrimaryLease, assignment: Assignment): number | null | undefined {
    const { stats } = this.#threads
    if (stats.gauge(partition, 'role') !== 0) return replicaLag(stats, partition, this.#lagKnownMs)
    return primaryLag(assignment, partition, lease.isHeldRoughly)
  }
}

function withLag(found: Lookup, lag: number | null | undefined): Lookup {
  if (lag !== undefined) found.replicaLag = lag
  return found
}
