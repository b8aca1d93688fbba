import { VarintCursor } from './varint-cursor.ts'

/** What is known about a record that the reader could not decode. */
export interface RecordFault {
  /** Description of the fault. */
  text: string
  /** Its offset delta, or -1 if not readable. */
  offsetDelta: number
}

/**
 * Finds the fault of the record whose body is `bytes[start, end)`. Called only for records that the reader has refused.
 * @param deltaMin one more than the last record's offset delta
 * @param deltaMax the batch's last offset delta
 */
export function findRecordFault(
  bytes: Uint8Array,
  start: number,
  end: number,
  deltaMin: number,
  deltaMax: number,
): RecordFault {
  const cursor = new VarintCursor(bytes, start, end)
  if (!cursor.skip(1) || !cursor.skipVarint(10)) return { text: 'its timestamp runs past its end', offsetDelta: -1 }
  const delta = cursor.varint()
  if (delta === undefined) return { text: 'its offset runs past its end', offsetDelta: -1 }
  if (delta < deltaMin || delta > deltaMax) {
    return { text: `its offset delta is ${delta}, outside ${deltaMin} to ${deltaMax}`, offsetDelta: -1 }
  }
  const text = spanFault(cursor, 'key', end) ?? spanFault(cursor, 'value', end) ?? headersFault(cursor, end)
  return { text, offsetDelta: delta }
}

function spanFault(cursor: VarintCursor, name: string, end: number, lengthMin = -1): string | undefined {
  const length = cursor.varint()
  if (length === undefined) return `its ${name} length runs past its end`
  if (length < lengthMin || !cursor.skip(Math.max(length, 0))) {
    return `its ${name} length is ${length} with ${end - cursor.at} bytes left in the record`
  }
  return undefined
}

function headersFault(cursor: VarintCursor, end: number): string {
  const count = cursor.varint()
  if (count === undefined) return 'its header count runs past its end'
  // A header takes at least two bytes. A count of more headers than fit is a fault.
  if (count < 0 || count * 2 > end - cursor.at) {
    return `its header count is ${count} with ${end - cursor.at} bytes left in the record`
  }
  for (let index = 0; index < count; index++) {
    const fault = spanFault(cursor, 'header key', end, 0) ?? spanFault(cursor, 'header value', end)
    if (fault !== undefined) return fault
  }
  return `${end - cursor.at} bytes are left over after its headers`
}
