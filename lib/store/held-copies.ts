/** What is held of single partitions, from their gauges. */
import { type CopyState, noCopy } from '../store-protocol/copy-state.ts'
import { partitionStateOf } from '../store-protocol/partition-state.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { lagKnownMsOf, replicaLag } from './partition-status.ts'
import { primaryLag, PrimaryLease } from './primary-lease.ts'
import type { StoreThreads } from './store-threads.ts'

type HeldThreads = Pick<StoreThreads, 'assignment' | 'stats' | 'merged'>

export class HeldCopies {
  readonly #threads: HeldThreads
  readonly #lease: PrimaryLease | undefined
  readonly #lagKnownMs: number

  constructor(config: StoreConfig, threads: HeldThreads) {
    this.#threads = threads
    this.#lease = PrimaryLease.of(config)
    this.#lagKnownMs = lagKnownMsOf(config)
  }

  /** Of the source; 0 before it is known. */
  get partitionCount(): number {
    return this.#threads.assignment.partitionCount
  }

  /** Calls a function when roles may have changed. Readiness and strangers change without a message. */
  onRoles(listener: () => void): void {
    this.#threads.merged = listener
  }

  of(partition: number): CopyState {
    const { stats } = this.#threads
    const role = this.roleOf(partition)
    if (role === 0) {
      const isHalted = partitionStateOf(stats, partition) === 'halted'
      const isFresh = this.#lease === undefined || this.#lease.isFresh
      const lag = primaryLag(this.#threads.assignment, partition, isFresh)
      return { role, isReady: true, caughtUp: stats.gauge(partition, 'caughtUp') === 1, isHalted, lag }
    }
    if (role !== 1) return noCopy
    const ready = stats.gauge(partition, 'ready')
    const isReady = ready < 0 ? partitionStateOf(stats, partition) === 'running' : ready === 1
    return { role, isReady, caughtUp: true, isHalted: false, lag: replicaLag(stats, partition, this.#lagKnownMs) }
  }

  /** Returns 0 for a primary, 1 for a replica, -1 for a partition that is not held. */
  roleOf(partition: number): number {
    return this.#gauge(partition, 'role')
  }

  /** Whether some keys of the partition are not where the partitioner puts them. */
  hasStrangers(partition: number): boolean {
    return this.#gauge(partition, 'strangers') === 1
  }

  /** As GroupNotice.isCurrent; true without a group. */
  isCurrent(generation: number): boolean {
    return this.#lease?.isCurrent(generation) ?? true
  }

  #gauge(partition: number, name: 'role' | 'strangers'): number {
    try {
      return this.#threads.stats.gauge(partition, name)
    } catch {
      // The topics are not known yet, or have grown.
      return -1
    }
  }
}
