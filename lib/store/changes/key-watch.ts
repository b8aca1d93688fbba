/**
 * Watches which keys change, without their values and without a listing: for faces that name a key, and leave it to
 * their client to read it.
 */
import type { KeyWatching, WantsKey, WatchedKey } from '../../store-protocol/following.ts'
import { ChangeScan } from './change-scan.ts'
import type { Followers, Touchable } from './followers.ts'
import { FollowedKeyFilter } from './key-filter.ts'
import type { ThreadChanges } from './thread-changes.ts'

export class KeyWatch implements KeyWatching, Touchable {
  readonly filter = new FollowedKeyFilter({})
  readonly #followers: Followers
  readonly #ready: () => void
  readonly #scan = new ChangeScan(this.filter)
  #isMissing = false
  #states: Followers['states']

  /** @param ready called when take() may return something */
  constructor(followers: Followers, ready: () => void) {
    this.#followers = followers
    this.#ready = ready
    this.#states = followers.states
  }

  touch(thread: ThreadChanges, position: number): void {
    this.#scan.touch(thread, position)
  }

  beginAgain(): void {
    this.#isMissing = true
  }

  wake(): void {
    this.#ready()
  }

  take(max: number, wants: WantsKey): readonly WatchedKey[] | 'missed' | 'moved' | undefined {
    const { states } = this.#followers
    if (this.#isMissing) {
      this.#isMissing = false
      this.#states = states
      return this.#missed()
    }
    if (states !== this.#states) {
      this.#states = states
      return 'moved'
    }
    if (this.#scan.isAtEnd) return undefined
    return this.#scan.take(max, wants) ?? this.#missed()
  }

  close(): void {
    this.#followers.remove(this)
  }

  /** What was not taken is forgotten with what was missed. */
  #missed(): 'missed' {
    this.#scan.begin()
    return 'missed'
  }
}
