/** Lookups of one key, in the order of the store threads, with the reason where a miss is to be retried. */
import type { Lookup } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { Assignment } from './assignment.ts'
import { missReasons } from './miss-reason.ts'
import { replicaLag } from './partition-status.ts'
import { PinnedReader } from './pinned-reader.ts'
import type { StoreThreads } from './store-threads.ts'

export class SingleReads {
  readonly #config: StoreConfig
  readonly #threads: StoreThreads

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#threads = threads
  }

  /** As Store.get. */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    const { assignment } = this.#threads
    const found = this.#threads.find(key)
    if (found instanceof Promise) return found.then((lookup) => this.#answer(key, lookup, assignment))
    return this.#answer(key, found, assignment)
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
    } else if (assignment.replicas.length > 0 && stats.gauge(found.partition, 'role') === 1) {
      found.replicaLag = replicaLag(stats, found.partition)
    }
    return found
  }
}
