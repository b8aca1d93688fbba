/** Waits for changes, and follows them, in a group: of every partition, wherever it is. */
import type { Following, FollowOptions, KeyWatching } from '../store-protocol/following.ts'
import { ElsewhereWaits } from './elsewhere-waits.ts'
import type { GroupFeeds } from './feeds/group-feeds.ts'
import type { GroupAsker } from './group-asker.ts'
import type { LocalChanges } from './local-changes.ts'

export class GroupChanges implements LocalChanges {
  readonly #local: LocalChanges
  readonly #asker: GroupAsker
  readonly #feeds: GroupFeeds
  readonly #elsewhere: ElsewhereWaits

  constructor(local: LocalChanges, asker: GroupAsker, feeds: GroupFeeds) {
    this.#local = local
    this.#asker = asker
    this.#feeds = feeds
    this.#elsewhere = new ElsewhereWaits(asker)
  }

  get waiting(): number {
    return this.#local.waiting + this.#elsewhere.waiting
  }

  get isRecovering(): boolean {
    return this.#local.isRecovering
  }

  /** What is primary elsewhere is not known here at once. */
  isVisible(offsets: ReadonlyMap<number, number>): boolean {
    return this.#areHere(offsets) && this.#local.isVisible(offsets)
  }

  async waitFor(offsets: ReadonlyMap<number, number>, over: Promise<void>): Promise<void> {
    if (this.#areHere(offsets)) {
      try {
        return await this.#local.waitFor(offsets, over)
      } catch (thrown) {
        // A partition has left meanwhile.
        if (this.#areHere(offsets)) throw thrown
      }
    }
    return this.#elsewhere.waitFor(offsets, over)
  }

  onChange(key: Uint8Array, changed: () => void): () => void {
    const endHere = this.#local.onChange(key, changed)
    try {
      const partition = this.#asker.local.partitionOf(key)
      // While it is primary here, nothing is asked for; it may move.
      const endElsewhere = this.#elsewhere.onChange(partition, changed)
      return () => {
        endHere()
        endElsewhere()
      }
    } catch (thrown) {
      endHere()
      throw thrown
    }
  }

  async follow(options: FollowOptions, ready: () => void): Promise<Following> {
    const { routes, local } = this.#asker
    if (routes.partitionCount === 0) void local.heldPartitions
    const isUnknown = (partition: number) => partition >= routes.partitionCount
    // A partition that does not exist is looked for here, for its error.
    if (options.partitions?.some(isUnknown) === true) return this.#local.follow(options, ready)
    return this.#feeds.follow(options, ready)
  }

  watchKeys(ready: () => void): Promise<KeyWatching> {
    return this.#feeds.watchKeys(ready)
  }

  /** Whether all partitions are primary here. One that does not exist is looked for here, for its error. */
  #areHere(offsets: ReadonlyMap<number, number>): boolean {
    const { routes } = this.#asker
    for (const partition of offsets.keys()) {
      if (partition >= routes.partitionCount) return true
      if (!this.#asker.isHere(partition)) return false
    }
    return true
  }
}
