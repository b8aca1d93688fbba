/**
 * Finds a key in an index table. Writer and readers share this code.
 *
 * A table uses open addressing with linear probing. A slot is two words: the hash of the key and the address of its
 * entry. Address 0 marks an empty slot. The home slot of a key is the upper bits of its hash, so a table is nearly in
 * order of hashes. It doubles in one sequential pass, and a walk by ranges of hashes works while the table changes.
 */
import { headerBytes, type LogView } from './entry.ts'

export interface TableView {
  /** 2 words per slot: hash, address. */
  readonly slots: Int32Array
  /** `hash >>> shift` is the home slot. */
  readonly shift: number
  /** Number of slots - 1. */
  readonly mask: number
}

/** Above this length a native comparison is faster than a loop. */
const loopLengthMax = 32

/**
 * Returns the slot of a key, or ~slot of the empty slot for it. `hash` must be the hash of the key. The loop ends
 * because a table is never full.
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

/** The value of a key. */
export interface StoredEntry {
  /** A copy in unshared memory. */
  readonly value: Uint8Array
  /** Source offset, or -1 if unknown. */
  readonly offset: number
  /** Milliseconds, or -1 if there is none. */
  readonly timestamp: number
}

/** Returns a copy of the entry of a key, or undefined if the key has none. */
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
  // The slice of a Uint8Array over shared memory is a copy in unshared memory.
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
