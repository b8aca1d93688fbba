/**
 * Finding a key in an index table: the one piece of code that writer and readers run alike.
 *
 * A table is open addressing with linear probing. Slot i is two words, the key's hash and its entry's address; an address of 0
 * is an empty slot. A key's home slot is the upper bits of its hash, so that a table is nearly in order of hashes: it doubles in
 * one sequential pass, and can be walked by ranges of hashes while it changes.
 */
import { headerBytes, type LogView } from './entry.ts'

export interface TableView {
  /** 2 words a slot: hash, address. */
  readonly slots: Int32Array
  /** hash >>> shift is the home slot. */
  readonly shift: number
  /** Number of slots - 1. */
  readonly mask: number
}

/** Above this a native comparison is cheaper than a loop. */
const loopLengthMax = 32

/**
 * The slot of a key, or ~slot of the empty one where it would go. Hash must be that of the key. The loop ends because a table
 * is never full.
 */
export function locate(
  table: TableView,
  log: LogView,
  hash: number,
  key: Uint8Array,
  start: number,
  length: number,
): number {
  const { slots, mask } = table
  let slot = hash >>> table.shift
  for (;;) {
    const address = slots[2 * slot + 1]!
    if (address === 0) return ~slot
    if (slots[2 * slot] === hash && holdsKey(log, address, key, start, length)) return slot
    slot = (slot + 1) & mask
  }
}

/** What the writer reads of a key. */
export interface StoredEntry {
  /** A copy, in memory of its own. */
  readonly value: Uint8Array
  /** Source offset, -1 unknown. */
  readonly offset: number
  /** Milliseconds, -1 none. */
  readonly timestamp: number
}

/** The entry that a key leads to; undefined where it leads nowhere. */
export function copyEntry(
  table: TableView,
  log: LogView,
  hash: number,
  key: Uint8Array,
  start: number,
  length: number,
): StoredEntry | undefined {
  const slot = locate(table, log, hash, key, start, length)
  if (slot < 0) return undefined
  const address = table.slots[2 * slot + 1]!
  const segment = log.segments[address >>> log.offsetBits]!
  const at = (address & log.offsetMask) << 3
  const valueStart = at + headerBytes + length
  // A Uint8Array over shared memory is sliced into one over memory of its own.
  const value = segment.bytes.slice(valueStart, valueStart + segment.words[(at >>> 2) + 1]!)
  return { value, offset: segment.doubles[(at >>> 3) + 1]!, timestamp: segment.doubles[(at >>> 3) + 2]! }
}

function holdsKey(log: LogView, address: number, key: Uint8Array, start: number, length: number): boolean {
  const segment = log.segments[address >>> log.offsetBits]!
  const at = (address & log.offsetMask) << 3
  if (segment.words[at >>> 2] !== length) return false
  const { bytes } = segment
  const from = at + headerBytes
  if (length > loopLengthMax) {
    return Buffer.prototype.compare.call(bytes, key, start, start + length, from, from + length) === 0
  }
  for (let i = 0; i < length; i++) if (bytes[from + i] !== key[start + i]) return false
  return true
}
