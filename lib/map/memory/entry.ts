/**
 * Layout of an entry in the log, all little-endian as the machine has it:
 *
 *   0  int32    key length
 *   4  int32    value length, -1 for a tombstone
 *   8  float64  source offset, -1 unknown
 *  16  float64  timestamp in ms, -1 none
 *  24  key, value, padding to 8 bytes
 *
 * An address is 32 bits: a segment number and, in units of 8 bytes, an offset in the segment. Addresses and hashes are handled
 * as signed integers everywhere, because the engine keeps those unboxed. Address 0 is no entry: entries begin at byte 8.
 */
import { LatchkeyError } from '../../errors.ts'
import { entryBytesMax } from './limits.ts'

export const headerBytes = 24
export const tombstone = -1
/** The first bytes of a segment hold no entry, so that no entry has address 0. */
export const segmentDataStart = 8

/** Bytes that an entry takes in the log. Lengths must have been checked: header, key and value within entryBytesMax. */
export function entryBytes(keyLength: number, valueLength: number): number {
  return (headerBytes + keyLength + (valueLength > 0 ? valueLength : 0) + 7) & ~7
}

/** Throws entry_too_large. */
export function checkEntrySize(partition: number, offset: number, keyLength: number, valueLength: number): void {
  if (headerBytes + keyLength + valueLength <= entryBytesMax) return
  throw new LatchkeyError(
    'entry_too_large',
    `put into partition ${partition} at offset ${offset}: key ${keyLength} and value ${valueLength} bytes, ${entryBytesMax} is the most for an entry`,
  )
}

/** What is to be put has to lie in its source. Throws internal. */
export function checkRange(what: string, source: Uint8Array, start: number, length: number): void {
  // So that NaN fails too.
  if (start >= 0 && length >= 0 && start + length <= source.length) return
  throw new LatchkeyError(
    'internal',
    `put: ${what} of ${length} bytes at ${start} in a source of ${source.length} bytes`,
  )
}

/** Views of one segment, from its first byte to the end of its slab: an entry larger than a segment runs on into the next. */
export interface Segment {
  readonly bytes: Uint8Array
  readonly words: Int32Array
  readonly doubles: Float64Array
}

/** What turns an address into bytes. Writer and readers each have their own views over the same memory. */
export interface LogView {
  readonly segments: readonly Segment[]
  /** address >>> offsetBits is the segment, (address & offsetMask) << 3 the byte in it. */
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

/** Bits of an address that hold the offset in a segment. */
export function offsetBitsOf(segmentBytes: number): number {
  return 31 - Math.clz32(segmentBytes) - 3
}
