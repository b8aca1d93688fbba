/** The part of a store that HTTP uses. HTTP depends on nothing else of it. */
import type { Presentation } from '../definition/presentation.ts'
import type { StoreReads } from '../store-protocol/reads.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup, StoreStatus } from '../store-protocol/status.ts'

export interface StoreView extends StoreReads {
  readonly id: string
  /** How keys and values are written in requests and responses. */
  readonly presentation: Presentation
  /** Counters in shared memory, for metrics. */
  readonly stats: StatsView
  readonly readers: { size: number; inUse: number; waiting: number }
  /**
   * Returns the latest published value of a key: at once if a reader is free, else a promise.
   *
   * @throws LatchkeyError recovering (its details hold the progress), readers_exhausted, stopping, store_failed; also
   *   as a rejection
   */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined>
  /** Publishes the acknowledged operations; resolves with the number of operations made visible. */
  flush(): Promise<number>
  status(): StoreStatus
}
