/** The part of a store that HTTP uses. HTTP depends on nothing else of it. */
import type { Presentation } from '../definition/presentation.ts'
import type { Following, FollowOptions } from '../store-protocol/following.ts'
import type { StoreReads } from '../store-protocol/reads.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup, RecoveryProgress, StoreStatus } from '../store-protocol/status.ts'

/** Waits for changes of a store. */
export interface ChangeWaits {
  /** Number of waits in this thread. */
  readonly waiting: number
  /**
   * Returns whether source records are visible here.
   * @param offsets by partition
   * @throws LatchkeyError invalid_parameter, partition_not_held, and what a lookup throws while the store does not serve
   */
  isVisible(offsets: ReadonlyMap<number, number>): boolean
  /**
   * Resolves when the records are visible. Rejects with LatchkeyError: not_yet_visible when `over` resolves, or if they
   * will not become visible here; waits_exhausted, stopping, store_failed.
   */
  waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void>
  /**
   * Calls `changed` when a publish has changed a key, and sometimes without a change.
   * @returns a function that ends that
   * @throws LatchkeyError waits_exhausted
   */
  onChange(key: Uint8Array, changed: () => void): () => void
  /**
   * Follows changes. The follower is to be closed.
   * @param ready called when its next() may have something
   * @returns rejects with LatchkeyError: invalid_parameter, partition_not_held, waits_exhausted, and what a lookup throws
   *   while the store does not serve
   */
  follow(options: FollowOptions, ready: () => void): Promise<Following>
}

export interface StoreView extends StoreReads {
  readonly id: string
  /** How keys and values are written in requests and responses. */
  readonly presentation: Presentation
  /** Counters in shared memory, for metrics. */
  readonly stats: StatsView
  readonly changes: ChangeWaits
  readonly readers: { size: number; inUse: number; waiting: number }
  /**
   * Returns the latest published value of a key: at once if a reader is free, else a promise.
   *
   * @param maxLag as in the query of a lookup: in a group, what is staler counts only if there is nothing else
   * @throws LatchkeyError recovering (its details hold the progress), readers_exhausted, stopping, store_failed; in a
   *   group key_not_found for a miss, with the details of the copy that has answered; also as a rejection
   */
  get(key: Uint8Array, maxLag?: number): Lookup | undefined | Promise<Lookup | undefined>
  /** Publishes the acknowledged operations; resolves with the number of operations made visible. */
  flush(): Promise<number>
  status(): StoreStatus
  /** Progress of recovery, a rebuild or catching up with the source; null if no such phase is in progress. */
  progress(): RecoveryProgress | null
}
