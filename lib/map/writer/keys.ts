/** Walks the keys of an index table by ranges of hashes, for the writer's thread. */
import { headerBytes, type LogView } from '../memory/entry.ts'
import { hashesEnd, HashRange, rangeEnd } from '../memory/hash-range.ts'
import type { TableView } from '../memory/probe.ts'

/** Home slots per step, and so about the number of keys copied at a time. */
const slotsPerStep = 256

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
  const range = new HashRange()
  for (let from = 0; from < hashesEnd;) {
    const view = table()
    const to = rangeEnd(view, from, slotsPerStep)
    range.collect(view, from, to)
    yield keysOf(log, range, accepts)
    from = to
  }
}

function everyOffset(): boolean {
  return true
}

function keysOf(log: LogView, range: HashRange, accepts: (offset: number) => boolean): KeyAt[] {
  const keys: KeyAt[] = []
  for (let i = 0; i < range.count; i++) {
    const address = range.addresses[i]!
    const segment = log.segments[address >>> log.offsetBits]!
    const at = (address & log.offsetMask) << 3
    const offset = segment.doubles[(at >>> 3) + 1]!
    if (!accepts(offset)) continue
    keys.push({ key: segment.bytes.slice(at + headerBytes, at + headerBytes + segment.words[at >>> 2]!), offset })
  }
  return keys
}
