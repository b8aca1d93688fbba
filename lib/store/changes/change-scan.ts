/** What a follower has not seen of the rings: for each store thread, from the first change that concerns it. */
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { WantsKey } from '../../store-protocol/following.ts'
import type { FollowedKeyFilter } from './key-filter.ts'
import type { RingCursor } from './ring-cursor.ts'
import type { ThreadChanges } from './thread-changes.ts'

export interface ChangedKey {
  readonly key: Uint8Array
  readonly partition: number
  /** Source offset of the change, or -1 if unknown. */
  readonly offset: number
  readonly isDeletion: boolean
}

export class ChangeScan {
  readonly #filter: FollowedKeyFilter
  /** Position in each ring from which on there may be changes that were not taken. */
  readonly #from = new Map<ThreadChanges, number>()
  /** Changes before these changelog positions were seen elsewhere. */
  #seen: ReadonlyMap<number, number> | undefined

  constructor(filter: FollowedKeyFilter) {
    this.#filter = filter
  }

  /** Whether everything was taken. */
  get isAtEnd(): boolean {
    return this.#from.size === 0
  }

  /** Forgets what was not taken. */
  begin(): void {
    this.#from.clear()
    this.#seen = undefined
  }

  /** A change at a position of a ring may concern the follower. */
  touch(thread: ThreadChanges, position: number): void {
    if (!this.#from.has(thread)) this.#from.set(thread, position)
  }

  /** Continues after a place. Returns the threads whose rings do not have all changes since; nothing is taken of them. */
  resume(threads: readonly ThreadChanges[], { positions }: ChangeId): ThreadChanges[] {
    this.begin()
    this.#seen = positions
    return threads.filter((thread) => {
      const needed = [...thread.positions].filter(([partition]) => this.#filter.wantsPartition(partition))
      // A position that is not reached here may be one of a log that has lost it.
      const isReached = needed.every(([partition, reached]) => (positions.get(partition) ?? Infinity) <= reached)
      if (!isReached) return true
      if (needed.length === 0) return false
      const start = thread.scan?.startAfter(new Map(needed.map(([p]) => [p, positions.get(p)!])))
      if (start !== undefined) this.#from.set(thread, start)
      return start === undefined
    })
  }

  /**
   * Takes changes, the last one of each key, up to `max` keys.
   * @param wants absent: all that the follower follows
   * @returns undefined if the ring does not have what was not taken: it was overwritten, or its key is too long
   */
  take(max: number, wants?: WantsKey): ChangedKey[] | undefined {
    const changed = new Map<string, ChangedKey>()
    for (const [thread, from] of this.#from) {
      const cursor = thread.scan
      if (cursor === undefined) return undefined
      cursor.open(from, thread.at)
      const isWhole = this.#takeFrom(cursor, changed, max, wants)
      if (cursor.isLapped || isWhole === undefined) return undefined
      if (!isWhole) {
        this.#from.set(thread, cursor.start)
        break
      }
      this.#from.delete(thread)
    }
    if (this.isAtEnd) this.#seen = undefined
    return [...changed.values()]
  }

  /** @returns false if there was no room for the record at which the cursor is, undefined if that has no key */
  #takeFrom(cursor: RingCursor, changed: Map<string, ChangedKey>, max: number, wants?: WantsKey): boolean | undefined {
    while (cursor.next()) {
      const { partition, changelogOffset, sourceOffset: offset, isDeletion, data, keyStart, keyLength } = cursor
      if (!this.#filter.wantsPartition(partition)) continue
      if (changelogOffset >= 0 && changelogOffset < (this.#seen?.get(partition) ?? 0)) continue
      if (cursor.isOmitted) return undefined
      if (wants !== undefined && !wants(data, keyStart, keyLength, isDeletion)) continue
      const text = this.#filter.textOf(data, keyStart, keyLength)
      if (text === undefined) continue
      const place = `${partition} ${text}`
      if (changed.size >= max && !changed.has(place)) return false
      const key = new Uint8Array(data.subarray(keyStart, keyStart + keyLength))
      changed.set(place, { key, partition, offset, isDeletion })
    }
    return true
  }
}
