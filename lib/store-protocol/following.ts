/** Following the changes of a store: what a follower asks for and what it gets. Keys and values are bytes. */
import type { ChangeId } from './change-id.ts'
import type { KeyedLookup } from './reads.ts'
import type { PartitionState } from './status.ts'

/** The keys that a follower wants: those that are listed, or else those that begin with the prefix. */
export interface FollowedKeys {
  readonly keys?: readonly Uint8Array[]
  readonly prefix?: Uint8Array
  /** In ascending order; absent for all that are held. */
  readonly partitions?: readonly number[]
}

export interface FollowOptions extends FollowedKeys {
  /** Where to begin: with the changes from now on, with a listing, or after a place. */
  readonly from: 'now' | 'start' | ChangeId
  /** False: a listing has no values. */
  readonly withValues: boolean
}

export type ChangeEvent =
  /** What follows is a listing: what was received before is no longer valid. */
  | { readonly type: 'reset' }
  | { readonly type: 'put'; readonly entry: KeyedLookup }
  | { readonly type: 'delete'; readonly key: Uint8Array; readonly partition: number; readonly offset: number }
  /** A partition has changed its state. */
  | { readonly type: 'status'; readonly partition: number; readonly state: PartitionState }

export interface ChangeBatch {
  readonly events: readonly ChangeEvent[]
  /**
   * Where to continue after these events; undefined if that has not changed. `start` while a listing is under way: who
   * stops within it begins again.
   */
  readonly place: ChangeId | 'start' | undefined
}

/** A key, and whether the last publish that changed it has deleted it. */
export interface WatchedKey {
  readonly key: Uint8Array
  readonly isDeletion: boolean
}

/** Whether a changed key is wanted. It stands in `data` from `start`, and only during the call. */
export type WantsKey = (data: Uint8Array, start: number, length: number, isDeletion: boolean) => boolean

/** Watches which keys change, without their values, from its beginning on. */
export interface KeyWatching {
  /**
   * Takes changes, the last one of each key, up to `max` keys.
   * @returns undefined: there are none now. `missed`: there were changes that it does not name. `moved`: a partition has
   *   changed its state, so its later changes may be missing here. `ended`: changes of some keys are not seen here any
   *   more, since another instance of the group has them
   */
  take(max: number, wants: WantsKey): readonly WatchedKey[] | 'missed' | 'moved' | 'ended' | undefined
  close(): void
}

/** Where changes are resumed: in the ring of recent changes, in the changelog, or not at all, with a listing. */
export type Resumed = 'ring' | 'changelog' | 'reset'

/** What a client of a follower sees of it. */
export interface Following {
  /** How it continues after the place that it was given; undefined if it was given none. It may turn into `reset`. */
  readonly resumed: Resumed | undefined
  /** Place at which the follower is; undefined if there is something to take. */
  readonly place: ChangeId | undefined
  /**
   * Returns what comes next, perhaps no events; undefined if there is nothing now. One call at a time.
   * @returns rejects with LatchkeyError if the store does not serve any more
   */
  next(): Promise<ChangeBatch | undefined>
  close(): void
}
