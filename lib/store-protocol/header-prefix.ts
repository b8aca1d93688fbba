/**
 * What stands before a value in memory, where KEEP_HEADERS keeps headers: a length, and the headers as Kafka encodes them. kept-headers.ts
 * puts it there, this takes it apart.
 */
import { HeaderCursor } from '../kafka/record-batch/index.ts'
import { type Lookup } from './status.ts'

/** A header's name, and its bytes: empty for one that has no value. */
export type KeptHeader = readonly [name: string, value: Uint8Array]

/** Before a value, where headers are kept: how many bytes of headers stand between this and the value, as uint32, big-endian. */
export const headerLengthBytes = 4

const none: readonly KeptHeader[] = []

/**
 * The headers of the source record that KEEP_HEADERS names, in the order that they have there; several may have the same name. Empty where
 * the record had none of them, and without KEEP_HEADERS. Names are UTF-8; what is not valid in one is replaced. Decodes anew at each call.
 */
export function keptHeaders(lookup: Pick<Lookup, 'headerBlock'>): readonly KeptHeader[] {
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

/** A lookup as memory has it, where headers are kept: takes them from before the value. Changes the lookup. */
export function separateHeaders(lookup: Lookup): Lookup {
  const { value } = lookup
  const length = new DataView(value.buffer, value.byteOffset, value.length).getUint32(0)
  const valueAt = headerLengthBytes + length
  if (length > 0) lookup.headerBlock = value.subarray(headerLengthBytes, valueAt)
  lookup.value = value.subarray(valueAt)
  return lookup
}

/** The headers before a value as memory has it, encoded; a view of the same bytes. */
export function headersOf(stored: Uint8Array): Uint8Array {
  const length = new DataView(stored.buffer, stored.byteOffset).getUint32(0)
  return stored.subarray(headerLengthBytes, headerLengthBytes + length)
}

/** A value as memory has it, without the headers before it; a view of the same bytes. */
export function withoutHeaders(stored: Uint8Array): Uint8Array {
  return stored.subarray(headerLengthBytes + new DataView(stored.buffer, stored.byteOffset).getUint32(0))
}
