/** The part of a store that the Redis protocol uses. It depends on nothing else of it. */
import type { Presentation } from '../definition/presentation.ts'
import type { KeyWatching } from '../store-protocol/following.ts'
import type { StoreReads } from '../store-protocol/reads.ts'
import type { Lookup, StoreStatus } from '../store-protocol/status.ts'

export interface RespStore extends StoreReads {
  /** How keys and values are written in commands and replies. */
  readonly presentation: Presentation
  /**
   * Returns the latest published value of a key: at once if a reader is free, else a promise.
   *
   * @throws LatchkeyError recovering (its details hold the progress), readers_exhausted, partition_not_held and the
   *   like; also as a rejection
   */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined>
  status(): StoreStatus
  readonly changes: {
    /** The store will serve, and does not yet. */
    readonly isRecovering: boolean
    /**
     * Watches which keys change from now on, or from when the store serves if it recovers.
     * @param ready called when its take() may return something
     * @returns rejects with LatchkeyError if the store will not serve
     */
    watchKeys(ready: () => void): Promise<KeyWatching>
  }
}
