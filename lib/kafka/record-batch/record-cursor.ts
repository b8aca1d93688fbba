/**
 * Decodes the records of one batch in place. The cursor moves over the bytes and gives the positions of key and value.
 * There is no object, view or closure per record; in return the fields are valid only until the next call.
 */
import { LatchkeyError } from '../../errors.ts'
import { RecordBatchHeader } from './batch-header.ts'
import { corrupt } from './corrupt.ts'
import * as layout from './layout.ts'
import { longVarint, longVarlong, varintEnd } from './long-varint.ts'
import { findRecordFault } from './record-fault.ts'
import { VarintCursor } from './varint-cursor.ts'

export const noBytes = Buffer.alloc(0)
const notOpened = -1
/** The record part of RecordBatchReader. */
export class RecordCursor extends RecordBatchHeader {
  /** Buffer of key and value: the response, or the decompressed batch (valid until the next batch). */
  data: Buffer = noBytes
  /** For an undecodable record its offset if readable, otherwise the lowest possible one. */
  offset = -1
  /** Milliseconds, or -1 for none. Exact up to ±2^53. */
  timestamp = -1
  keyStart = 0
  /** -1 for null */
  keyLength = -1
  valueStart = 0
  /** -1 for null, a tombstone */
  valueLength = -1
  /** The record is malformed (see `fault`), but the next one is reachable. Of its fields only `offset` is valid. */
  undecodable = false
  fault = ''
  /** Start of an undecodable record in `data`, after its length field. */
  recordStart = 0
  recordEnd = 0
  /** Headers of the record, in `data[headersStart, headersEnd)`. The range is valid only if the count is not 0. */
  headerCount = 0
  headersStart = 0
  headersEnd = 0

  #recordsLeft = notOpened
  #recordsEnd = 0
  #position = 0
  #deltaMin = 0
  #deltaMax = 0
  #sourceAt = -1
  #afterAt = -1

  /** Makes `data[start, end)` the records of the batch whose header has been read. */
  protected beginRecords(data: Buffer, start: number, end: number): void {
    this.data = data
    this.#position = start
    this.#recordsEnd = end
    this.#recordsLeft = this.recordCount
    this.#deltaMin = 0
    this.#deltaMax = this.nextOffset - this.baseOffset - 1
  }

  protected leaveRecords(): void {
    this.#recordsLeft = notOpened
    this.data = noBytes
  }

  /**
   * Moves to the next record. Returns false after the last. A record that cannot be decoded, but whose length leads to
   * the next one, counts as a record and is `undecodable`. If its length leads nowhere, throws
   * LatchkeyError('record_batch_corrupt').
   */
  nextRecord(): boolean {
    if (this.#recordsLeft <= 0) return this.#endOfRecords()
    const data = this.data
    const start = this.#position
    let at = start
    let length = data[at++]!
    if (length > 127) {
      length = longVarint(data, at, length)
      at = varintEnd
    }
    length = (length >>> 1) ^ -(length & 1)
    const end = at + length
    if (length < 0 || end > this.#recordsEnd) return this.#refuse(start)
    at++ // attributes; no bit is defined

    let timestampDelta = data[at++]!
    if (timestampDelta > 127) {
      timestampDelta = longVarlong(data, at, timestampDelta)
      at = varintEnd
    } else timestampDelta = (timestampDelta >>> 1) ^ -(timestampDelta & 1)

    let offsetDelta = data[at++]!
    if (offsetDelta > 127) {
      offsetDelta = longVarint(data, at, offsetDelta)
      at = varintEnd
    }
    offsetDelta = (offsetDelta >>> 1) ^ -(offsetDelta & 1)
    if (offsetDelta < this.#deltaMin || offsetDelta > this.#deltaMax) return this.#refuse(start)

    let keyLength = data[at++]!
    if (keyLength > 127) {
      keyLength = longVarint(data, at, keyLength)
      at = varintEnd
    }
    keyLength = (keyLength >>> 1) ^ -(keyLength & 1)
    const keyStart = at
    if (keyLength < -1 || keyLength > end - at) return this.#refuse(start)
    if (keyLength > 0) at += keyLength

    let valueLength = data[at++]!
    if (valueLength > 127) {
      valueLength = longVarint(data, at, valueLength)
      at = varintEnd
    }
    valueLength = (valueLength >>> 1) ^ -(valueLength & 1)
    const valueStart = at
    if (valueLength < -1 || valueLength > end - at) return this.#refuse(start)
    if (valueLength > 0) at += valueLength

    this.#sourceAt = this.#afterAt = -1
    this.headerCount = 0
    // A record without headers ends with one zero byte.
    if ((at !== end - 1 || data[at] !== 0) && !this.#walkHeaders(data, at, end)) return this.#refuse(start)

    this.offset = this.baseOffset + offsetDelta
    this.timestamp = this.timestampType === 1 ? this.maxTimestamp : this.baseTimestamp + timestampDelta
    this.keyStart = keyStart
    this.keyLength = keyLength
    this.valueStart = valueStart
    this.valueLength = valueLength
    this.undecodable = false
    this.#deltaMin = offsetDelta + 1
    this.#position = end
    this.#recordsLeft--
    return true
  }

  /** The last `src` header: an offset or the mark -2. -1 if absent, not 8 bytes, or outside -2 to 2^53 - 1. */
  sourceOffset(): number {
    return this.#sourceAt < 0 ? -1 : this.#offsetAt(this.#sourceAt)
  }

  /** The last `aft` header: the source offset that a record from outside the source follows. -1 as above. */
  afterOffset(): number {
    return this.#afterAt < 0 ? -1 : Math.max(this.#offsetAt(this.#afterAt), -1)
  }

  #offsetAt(at: number): number {
    const offset = layout.readInt64(this.data, at)
    return Number.isSafeInteger(offset) && offset >= layout.sourceOffsetMin ? offset : -1
  }

  /** Skips the headers and notes `src` and `aft`. Returns false if they are malformed or end elsewhere. */
  #walkHeaders(data: Buffer, at: number, end: number): boolean {
    let count = data[at++]!
    if (count > 127) {
      count = longVarint(data, at, count)
      at = varintEnd
    }
    count = (count >>> 1) ^ -(count & 1)
    if (count < 0) return false
    this.headerCount = count
    this.headersStart = at
    this.headersEnd = end
    for (; count > 0 && at < end; count--) {
      let keyLength = data[at++]!
      if (keyLength > 127) {
        keyLength = longVarint(data, at, keyLength)
        at = varintEnd
      }
      keyLength = (keyLength >>> 1) ^ -(keyLength & 1)
      if (keyLength < 0 || keyLength > end - at) return false
      const keyAt = at
      at += keyLength
      let valueLength = data[at++]!
      if (valueLength > 127) {
        valueLength = longVarint(data, at, valueLength)
        at = varintEnd
      }
      valueLength = (valueLength >>> 1) ^ -(valueLength & 1)
      if (valueLength < -1 || valueLength > end - at) return false
      if (keyLength === 3) {
        const offsetAt = valueLength === layout.sourceHeaderValueBytes ? at : -1
        if (data[keyAt] === 0x73 && data[keyAt + 1] === 0x72 && data[keyAt + 2] === 0x63) this.#sourceAt = offsetAt
        else if (data[keyAt] === 0x61 && data[keyAt + 1] === 0x66 && data[keyAt + 2] === 0x74) this.#afterAt = offsetAt
      }
      if (valueLength > 0) at += valueLength
    }
    return count === 0 && at === end
  }

  /** Skips the malformed record at `start` if its length leads to the next record, otherwise throws. */
  #refuse(start: number): boolean {
    const cursor = new VarintCursor(this.data, start, this.#recordsEnd)
    const index = this.recordCount - this.#recordsLeft
    const length = cursor.varint()
    if (length === undefined || length < 0 || length > this.#recordsEnd - cursor.at) {
      const found =
        length === undefined
          ? 'has no readable length'
          : `has length ${length} with ${this.#recordsEnd - cursor.at} bytes left`
      throw this.corrupt(`record ${index} of ${this.recordCount} ${found}`)
    }
    const end = cursor.at + length
    const fault = findRecordFault(this.data, cursor.at, end, this.#deltaMin, this.#deltaMax)
    if (!this.#leadsOn(end)) {
      throw this.corrupt(
        `record ${index} of ${this.recordCount} has length ${length}, where no record follows; ${fault.text}`,
      )
    }
    this.offset =
      this.baseOffset + (fault.offsetDelta < 0 ? Math.min(this.#deltaMin, this.#deltaMax) : fault.offsetDelta)
    if (fault.offsetDelta >= 0) this.#deltaMin = fault.offsetDelta + 1
    this.timestamp = this.keyLength = this.valueLength = this.#sourceAt = this.#afterAt = -1
    this.headerCount = 0
    this.undecodable = true
    this.fault = fault.text
    this.recordStart = cursor.at
    this.recordEnd = end
    this.#position = end
    this.#recordsLeft--
    return true
  }

  /** Returns whether the records after the current one can begin at `at`. */
  #leadsOn(at: number): boolean {
    const after = this.#recordsLeft - 1
    const room = this.#recordsEnd - at
    if (after === 0) return room === 0
    if (room < after * layout.recordBytesMin) return false
    const cursor = new VarintCursor(this.data, at, this.#recordsEnd)
    const length = cursor.varint()
    return length !== undefined && length >= layout.recordBytesMin - 1 && length <= this.#recordsEnd - cursor.at
  }

  #endOfRecords(): false {
    if (this.#recordsLeft === notOpened) {
      throw new LatchkeyError('internal', 'Reading a record: openRecords was not called for this batch')
    }
    const left = this.#recordsEnd - this.#position
    if (left !== 0) throw this.corrupt(`${left} bytes are left over after its ${this.recordCount} records`)
    return false
  }

  /** Returns the error of the current batch. */
  protected corrupt(found: string, cause?: unknown): LatchkeyError {
    const { baseOffset, nextOffset, batchBytes } = this
    const attempted = `Reading record batch at offset ${baseOffset} (${batchBytes} bytes, ${layout.compressionNames[this.compression]})`
    return corrupt(attempted, found, { baseOffset, nextOffset, batchBytes }, cause)
  }
}
