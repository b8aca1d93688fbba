/**
 * Walks the keys of an index table in order of their hashes. The position is a hash, not a slot, so the walk survives that the
 * table grows or the sides are swapped between two steps: a key that is there all along comes exactly once.
 */
import { headerBytes, type LogView } from '../memory/entry.ts'
import type { TableView } from '../memory/probe.ts'

/** Home slots whose keys are copied in one step: about as many keys are held at a time. */
const slotsPerStep = 256
const hashesEnd = 2 ** 32

export interface KeyAt {
  /** A copy. */
  readonly key: Uint8Array
  /** Source offset of its entry, -1 unknown. */
  readonly offset: number
}

/** Copies of the keys in the table that `table` returns, which is called again at every step. */
export function* liveKeys(log: LogView, table: () => TableView): Generator<Uint8Array, void, undefined> {
  for (const step of liveSteps(log, table, everyOffset)) for (const { key } of step) yield key
}

/** The same step by step, with offsets. A step may be empty, so that the caller can pause between steps. @param accepts is asked about each entry's offset */
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

/** Keys with a hash, unsigned, of at least `from` and below `to`. */
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
  // Past the last home slot, entries that were displaced go on to the next empty slot, around the table's end if need be; but
  // no further than once around.
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
