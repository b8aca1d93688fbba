/** What a store says of its changes, as this instance has them for what it holds. */
import type { Following, FollowOptions, KeyWatching } from '../store-protocol/following.ts'

export interface LocalChanges {
  readonly waiting: number
  readonly isRecovering: boolean
  isVisible(offsets: ReadonlyMap<number, number>): boolean
  waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void>
  onChange(key: Uint8Array, changed: () => void): () => void
  follow(options: FollowOptions, ready: () => void): Promise<Following>
  watchKeys(ready: () => void): Promise<KeyWatching>
}
