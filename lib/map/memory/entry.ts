/**
 * Layout of an entry in the log, in the machine's byte order (little-endian):
 *
 *   0  int32    key length
 *   4  int32    value length, -1 for a tombstone
 *   8  float64  source offset, -1 if unknown
 *  16  float64  timestamp in ms, -1 if there is none
 *  24  key, value, padding to 8 bytes
 *
 * An address has 32 bits: a segment number, and an offset in the segment in units of 8 bytes. Addresses and
 * hashes are signed integers everywhere, because the engine keeps those unboxed. Address 0 means no entry:
 * entries begin at byte 8.
 *
 * Snapshots have entries in this layout: a change raises layoutVersion (lib/map/snapshot/manifest.ts).
 */
import { LatchkeyError } from '../../errors.ts'
import { entryBytesMax } from './limits.ts'

export const headerBytes = 24
export const tombstone = -1
/** The first bytes of a segment hold no entry, so no entry has address 0. */
export const segmentDataStart = 8

/**
 * Returns the bytes that an entry takes in the log. The caller has checked that header, key and value fit into
 * entryBytesMax.
 */
export function entryBytes(keyLength: number, valueLength: number): number {
  return (headerBytes + keyLength + (valueLength > 0 ? valueLength : 0) + 7) & ~7
}

/** Throws entry_too_large if header, key and value exceed entryBytesMax. */
export function checkEntrySize(partition: number, offset: number, keyLength: number, valueLength: number): void {
  if (headerBytes + keyLength + valueLength <= entryBytesMax) return
  throw new LatchkeyError(
    'entry_too_large',
    `put into partition ${partition} at offset ${offset}: key ${keyLength} and value ${valueLength} bytes, the maximum for an entry is ${entryBytesMax}`,
  )
}

/** Throws internal if a key or value does not lie within its source. */
export function checkRange(what: string, source: Uint8Array, start: number, length: number): void {
  // Written as a positive condition, because NaN must fail too.
  if (start >= 0 && length >= 0 && start + length <= source.length) return
  throw new LatchkeyError(
    'internal',
    `put: ${what} of ${length} bytes at ${start} in a source of ${source.length} bytes`,
  )
}

/**
 * Views of one segment. They reach from its first byte to the end of its slab, because an entry larger than a segment
 * continues in the next one.
 */
export interface Segment {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly doubles: Float64Array
}

/** Translates an address to bytes. Writer and readers have separate views of the same memory. */
export interface LogView {
  readonly segments: readonly Segment[]
  /** `address >>> offsetBits` is the segment number, `(address & offsetMask) << 3` the byte offset in the segment. */
  readonly offsetBits: number
  readonly offsetMask: number
}

export function segmentViews(buffer: SharedArrayBuffer, segmentBytes: number): Segment[] {
  const segments: Segment[] = []
  for (let start = 0; start < buffer.byteLength; start += segmentBytes) {
    segments.push({
      bytes: new Uint8Array(buffer, start),
      words: new Int32Array(buffer, start),
      doubles: new Float64Array(buffer, start),
    })
  }
  return segments
}

/** Returns the number of bits of an address that hold the offset in a segment. */
export function offsetBitsOf(segmentBytes: number): number {
  return 31 - Math.clz32(segmentBytes) - 3
}
