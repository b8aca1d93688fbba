/** What a follower has not seen of the rings: for each store thread, from the first change that concerns it. */
import type { ChangeId } from '../../store-protocol/change-id.ts'
import type { FollowedKeys, WantsKey } from '../../store-protocol/following.ts'
import type { RingCursor } from './ring-cursor.ts'
import type { ThreadChanges } from './thread-changes.ts'

export interface ChangedKey {
  readonly key: Uint8Array
  readonly partition: number
  /** Source offset of the change, or -1 if unknown. */
  readonly offset: number
  readonly isDeletion: boolean
}

const empty = new Uint8Array(0)

export class ChangeScan {
  readonly #keys: ReadonlySet<string> | undefined
  readonly #prefix: Uint8Array
  readonly #partition: number | undefined
  /** Position in each ring from which on there may be changes that were not taken. */
  readonly #from = new Map<ThreadChanges, number>()
  /** Changes before these changelog positions were seen elsewhere. */
  #seen: ReadonlyMap<number, number> | undefined

  constructor({ keys, prefix = empty, partition }: FollowedKeys) {
    this.#keys = keys && new Set(keys.map(textOf))
    this.#prefix = prefix
    this.#partition = partition
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

  /** Continues after a place. Returns false, and nothing is to be taken, if the rings do not have all changes since. */
  resume(threads: readonly ThreadChanges[], { positions }: ChangeId): boolean {
    this.begin()
    for (const thread of threads) {
      const needed = [...thread.positions].filter(([partition]) => this.#wants(partition))
      if (needed.length === 0) continue
      // A position that is not reached here may be one of a log that has lost it.
      const isReached = needed.every(([partition, reached]) => (positions.get(partition) ?? Infinity) <= reached)
      const start = isReached
        ? thread.scan?.startAfter(new Map(needed.map(([p]) => [p, positions.get(p)!])))
        : undefined
      if (start === undefined) {
        this.begin()
        return false
      }
      this.#from.set(thread, start)
    }
    this.#seen = positions
    return true
  }

  /**
   * Takes changes, the last one of each key, up to `max` keys.
   * @param wants absent: all that the follower follows
   * @returns undefined if the ring has passed what was not taken
   */
  take(max: number, wants?: WantsKey): ChangedKey[] | undefined {
    const changed = new Map<string, ChangedKey>()
    for (const [thread, from] of this.#from) {
      const cursor = thread.scan
      if (cursor === undefined) return undefined
      cursor.open(from, thread.at)
      const isWhole = this.#takeFrom(cursor, changed, max, wants)
      if (cursor.isLapped) return undefined
      if (!isWhole) {
        this.#from.set(thread, cursor.start)
        break
      }
      this.#from.delete(thread)
    }
    return [...changed.values()]
  }

  /** @returns false if there was no room for the record at which the cursor is */
  #takeFrom(cursor: RingCursor, changed: Map<string, ChangedKey>, max: number, wants?: WantsKey): boolean {
    while (cursor.next()) {
      const { partition, changelogOffset, sourceOffset: offset, isDeletion, data, keyStart, keyLength } = cursor
      if (!this.#wants(partition)) continue
      if (changelogOffset >= 0 && changelogOffset < (this.#seen?.get(partition) ?? 0)) continue
      if (keyLength < this.#prefix.length || !beginsWith(data, keyStart, this.#prefix)) continue
      if (wants !== undefined && !wants(data, keyStart, keyLength, isDeletion)) continue
      const text = data.toString('latin1', keyStart, keyStart + keyLength)
      if (this.#keys !== undefined && !this.#keys.has(text)) continue
      const place = `${partition} ${text}`
      if (changed.size >= max && !changed.has(place)) return false
      const key = new Uint8Array(data.subarray(keyStart, keyStart + keyLength))
      changed.set(place, { key, partition, offset, isDeletion })
    }
    return true
  }

  #wants(partition: number): boolean {
    return this.#partition === undefined || this.#partition === partition
  }
}

export function beginsWith(data: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (data[start + i] !== prefix[i]) return false
  return true
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
