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

/** Maximum time that a lookup with `max-lag` waits for another plan. */
const holdMsMax = 1_000

export class SingleReads {
  readonly #config: StoreConfig
  readonly #threads: StoreThreads
  readonly #lease: PrimaryLease | undefined
  readonly #lagKnownMs: number

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#threads = threads
    this.#lease = PrimaryLease.of(config)
    this.#lagKnownMs = lagKnownMsOf(config)
  }

  /** As Store.get. @param maxLag in a group, has the lookup wait up to a second until it is certain who is primary */
  get(key: Uint8Array, maxLag?: number): Lookup | undefined | Promise<Lookup | undefined> {
    const lease = this.#lease
    return lease === undefined || maxLag === undefined ? this.#get(key) : this.#getLatest(key, lease)
  }

  #get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    const { assignment } = this.#threads
    const found = this.#threads.find(key)
    if (found instanceof Promise) return found.then((lookup) => this.#answer(key, lookup, assignment))
    return this.#answer(key, found, assignment)
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
    return new PinnedReader(sources, (key, found) => this.#answer(key, found, this.#threads.assignment))
  }

  /** @param assignment as it was when the threads to search were selected */
  #answer(key: Uint8Array, found: Lookup | undefined, assignment: Assignment): Lookup | undefined {
    const { stats } = this.#threads
    if (found === undefined) {
      const miss = missReasons(assignment, stats, this.#config)(key)
      if (miss !== undefined) throw miss
    } else if (this.#config.elastic !== undefined && isHidden(stats, found.partition)) {
      throw rebuildingError(this.#config, found.partition)
    } else if (this.#lease !== undefined) {
      const lag = this.#lagOf(found.partition, this.#lease, assignment)
      if (lag !== undefined) found.replicaLag = lag
    } else if (assignment.replicas.length > 0 && stats.gauge(found.partition, 'role') === 1) {
      found.replicaLag = replicaLag(stats, found.partition)
    }
    return found
  }

  /** The role of this moment: a message of a change may be on its way. */
  #lagOf(partition: number, lease: PrimaryLease, assignment: Assignment): number | null | undefined {
    const { stats } = this.#threads
    if (stats.gauge(partition, 'role') !== 0) return replicaLag(stats, partition, this.#lagKnownMs)
    return primaryLag(assignment, partition, lease.isHeldRoughly)
  }
}
