/** Reads what a store thread has published, once for all that wait or follow in this thread. */
import type { Followers } from './followers.ts'
import type { KeyWaits } from './key-waits.ts'
import type { RingCursor } from './ring-cursor.ts'
import type { ThreadChanges } from './thread-changes.ts'

/** @returns what is to be called: the waits for keys that have changed, or all of them if a key is not known */
export function readPublish(
  changes: ThreadChanges,
  followers: Followers,
  keys: KeyWaits<() => void>,
): Iterable<() => void> {
  const { cursor, hasBegun } = changes
  if (cursor === undefined) return []
  const woken = new Set<() => void>()
  const { published } = cursor
  followers.began()
  let isWhole = readRing(changes, cursor, changes.at, published, followers, keys, woken) && !hasBegun
  if (cursor.isLapped) {
    isWhole = false
    followers.missed(changes, changes.at)
    findEnd(changes, cursor, published, followers, keys, woken)
  }
  changes.taken(published)
  followers.ended(hasBegun ? changes : undefined)
  return isWhole ? woken : keys.all()
}

/** @returns whether each change has its key */
function readRing(
  changes: ThreadChanges,
  cursor: RingCursor,
  from: number,
  to: number,
  followers: Followers,
  keys: KeyWaits<() => void>,
  woken: Set<() => void>,
): boolean {
  let isWhole = true
  cursor.open(from, to)
  while (cursor.next()) {
    if (cursor.isOmitted) isWhole = false
    else if (keys.size > 0) keys.collect(cursor.data, cursor.keyStart, cursor.keyLength, woken)
    followers.changed(changes, cursor)
  }
  return isWhole
}

/** Finds the changelog positions at the end of a ring that has passed this thread. */
function findEnd(
  changes: ThreadChanges,
  cursor: RingCursor,
  to: number,
  followers: Followers,
  keys: KeyWaits<() => void>,
  woken: Set<() => void>,
): void {
  const block = cursor.lastBlock()
  for (const partition of changes.positions.keys()) {
    changes.reached(partition, block?.reached.get(partition) ?? Number.POSITIVE_INFINITY)
  }
  if (block === undefined || block.position > to) return
  readRing(changes, cursor, block.position, to, followers, keys, woken)
  if (!cursor.isLapped) return
  // It is passed again and again: followers begin again.
  for (const partition of changes.positions.keys()) changes.reached(partition, Number.POSITIVE_INFINITY)
}
