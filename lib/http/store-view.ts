/** What HTTP needs of a store, and all that it may know of one. */
import type { Presentation } from '../definition/presentation.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup, StoreStatus } from '../store-protocol/status.ts'

export interface StoreView {
  readonly id: string
  /** How its keys and values are written in requests and answers. */
  readonly presentation: Presentation
  /** In shared memory, for metrics. */
  readonly stats: StatsView
  readonly readers: { size: number; inUse: number; waiting: number }
  /**
   * The latest published value of a key: at once where a reader is free, else once one is.
   * Throws or rejects with LatchkeyError: recovering (its details hold the progress), readers_exhausted, stopping, store_failed.
   */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined>
  /** Publishes what has been acknowledged; resolves with the number of operations made visible. */
  flush(): Promise<number>
  status(): StoreStatus
}
