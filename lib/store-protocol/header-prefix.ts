/**
 * The prefix of a value in memory if KEEP_HEADERS is set: a length, and the headers in Kafka's encoding.
 * kept-headers.ts writes it, this file reads it.
 */
import { HeaderCursor } from '../kafka/record-batch/index.ts'
import type { Lookup } from './status.ts'

/** Name and bytes of a header. The bytes are empty for a header without a value. */
export type KeptHeader = readonly [name: string, value: Uint8Array]

/**
 * Size of the length field at the front of the prefix: the number of header bytes that follow, as uint32, big-endian.
 */
export const headerLengthBytes = 4

const none: readonly KeptHeader[] = []

/**
 * Returns the headers of the source record that KEEP_HEADERS names, in their order; several may have the same name.
 * Empty if the record had no such header, or without KEEP_HEADERS. Names are UTF-8; invalid bytes in them are replaced.
 * Decodes the headers at each call.
 */
export function decodeKeptHeaders(lookup: Pick<Lookup, 'headerBlock'>): readonly KeptHeader[] {
  const { headerBlock } = lookup
  if (headerBlock === undefined || headerBlock.length === 0) return none
  const bytes = Buffer.from(headerBlock.buffer, headerBlock.byteOffset, headerBlock.length)
  const headers: KeptHeader[] = []
  const cursor = new HeaderCursor()
  cursor.open(bytes, 0, bytes.length)
  while (cursor.next()) {
    const { nameStart, nameEnd, valueStart, valueLength } = cursor
    const value = headerBlock.subarray(valueStart, valueStart + Math.max(valueLength, 0))
    headers.push([bytes.toString('utf8', nameStart, nameEnd), value])
  }
  return headers
}

/** Splits a lookup's value, as it is in memory, into headers and value. Changes the lookup. */
export function splitHeaderPrefix(lookup: Lookup): Lookup {
  const { value } = lookup
  const length = new DataView(value.buffer, value.byteOffset, value.length).getUint32(0)
  const valueAt = headerLengthBytes + length
  if (length > 0) lookup.headerBlock = value.subarray(headerLengthBytes, valueAt)
  lookup.value = value.subarray(valueAt)
  return lookup
}

/** Returns the encoded headers of a value as it is in memory: a view of the same bytes. */
export function headersOf(stored: Uint8Array): Uint8Array {
  const length = new DataView(stored.buffer, stored.byteOffset).getUint32(0)
  return stored.subarray(headerLengthBytes, headerLengthBytes + length)
}

/** Returns a value as it is in memory without its headers: a view of the same bytes. */
export function withoutHeaders(stored: Uint8Array): Uint8Array {
  return stored.subarray(headerLengthBytes + new DataView(stored.buffer, stored.byteOffset).getUint32(0))
}
