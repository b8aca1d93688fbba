/**
 * Walks the keys of an index table in order of their hashes. The position is a hash, not a slot, so the table may grow
 * and the sides may swap between two steps: a key that exists throughout appears exactly once.
 */
import { headerBytes, type LogView } from '../memory/entry.ts'
import type { TableView } from '../memory/probe.ts'

/** Home slots per step, and so about the number of keys copied at a time. */
const slotsPerStep = 256
const hashesEnd = 2 ** 32

export interface KeyAt {
  /** A copy. */
  readonly key: Uint8Array
  /** Source offset of the entry, or -1 if unknown. */
  readonly offset: number
}

/** Returns copies of the keys in a table. Calls `table` for the current one at every step. */
export function* liveKeys(log: LogView, table: () => TableView): Generator<Uint8Array, void, undefined> {
  for (const step of liveSteps(log, table, everyOffset)) for (const { key } of step) yield key
}

/**
 * Like liveKeys, in steps and with offsets. A step may be empty, so that the caller can pause between steps.
 * @param accepts selects entries by their source offset
 */
export function* liveSteps(
  log: LogView,
  table: () => TableView,
  accepts: (offset: number) => boolean,
): Generator<KeyAt[], void, undefined> {
  for (let from = 0; from < hashesEnd;) {
    const view = table()
    const to = Math.min(hashesEnd, from + slotsPerStep * 2 ** view.shift)
    yield keysBetween(log, view, from, to, accepts)
    from = to
  }
}

function everyOffset(): boolean {
  return true
}

/** Returns the keys whose unsigned hash is at least `from` and below `to`. */
function keysBetween(
  log: LogView,
  { slots, shift, mask }: TableView,
  from: number,
  to: number,
  accepts: (offset: number) => boolean,
): KeyAt[] {
  const keys: KeyAt[] = []
  const firstHome = from >>> shift
  const lastHome = (to - 1) >>> shift
  let slot = firstHome
  // Past the last home slot, displaced entries reach up to the next empty slot, around the end of the table if
  // necessary, but at most once around.
  for (let i = firstHome; i <= lastHome || (slots[2 * slot + 1] !== 0 && i <= firstHome + mask); i++) {
    const hash = slots[2 * slot]! >>> 0
    const address = slots[2 * slot + 1]!
    if (address !== 0 && hash >= from && hash < to) {
      const segment = log.segments[address >>> log.offsetBits]!
      const at = (address & log.offsetMask) << 3
      const offset = segment.doubles[(at >>> 3) + 1]!
      if (accepts(offset)) {
        keys.push({ key: segment.bytes.slice(at + headerBytes, at + headerBytes + segment.words[at >>> 2]!), offset })
      }
    }
    slot = (slot + 1) & mask
  }
  return keys
}
