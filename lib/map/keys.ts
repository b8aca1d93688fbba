/**
 * Walks the keys of an index table in order of their hashes. The position is a hash, not a slot, so the walk survives that the
 * table grows or the sides are swapped between two steps: a key that is there all along comes exactly once.
 */
import { headerBytes, type LogView } from './entry.ts'
import type { TableView } from './probe.ts'

/** Home slots whose keys are copied in one step: about as many keys are held at a time. */
const slotsPerStep = 256
const hashesEnd = 2 ** 32

/** Copies of the keys in the table that `table` returns, asked for anew at every step. */
export function* liveKeys(log: LogView, table: () => TableView): Generator<Uint8Array, void, undefined> {
  for (let from = 0; from < hashesEnd;) {
    const view = table()
    const to = Math.min(hashesEnd, from + slotsPerStep * 2 ** view.shift)
    yield* keysBetween(log, view, from, to)
    from = to
  }
}

/** Keys with a hash, unsigned, of at least `from` and below `to`. */
function keysBetween(log: LogView, { slots, shift, mask }: TableView, from: number, to: number): Uint8Array[] {
  const keys: Uint8Array[] = []
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
      keys.push(segment.bytes.slice(at + headerBytes, at + headerBytes + segment.words[at >>> 2]!))
    }
    slot = (slot + 1) & mask
  }
  return keys
}
