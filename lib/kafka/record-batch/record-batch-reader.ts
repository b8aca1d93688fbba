import { LatchkeyError, messageOf } from '../../errors.ts'
import { crc32c } from './crc32c.ts'
import { Decompressor } from './decompressor.ts'
import * as layout from './layout.ts'
import { isTooLarge } from './output-buffer.ts'
import { noBytes, RecordCursor } from './record-cursor.ts'
import { VarintCursor } from './varint-cursor.ts'

/**
 * Iterates over the `records` bytes of one partition of a Fetch response, batch by batch and record by record.
 * Reusable.
 *
 *     reader.open(buffer, start, end)
 *     while (reader.nextBatch()) {
 *       reader.openRecords({ checkCrc: true })
 *       while (reader.nextRecord()) use(reader.data, reader.keyStart, reader.keyLength, …)
 *       position = reader.nextOffset
 *     }
 */
export class RecordBatchReader extends RecordCursor {
  readonly #decompressor = new Decompressor()
  #buffer: Buffer = noBytes
  #end = 0
  #batchStart = 0
  #nextBatchStart = 0
  #onBatch = false

  /** Starts at `buffer[start]`. The bytes must not change until the last record has been read. */
  open(buffer: Buffer, start: number, end: number): void {
    if (!(start >= 0 && start <= end && end <= buffer.length)) {
      throw new LatchkeyError(
        'internal',
        `Reading record batches: ${start} to ${end} lies outside the ${buffer.length} bytes given`,
      )
    }
    this.#buffer = buffer
    this.#end = end
    this.#nextBatchStart = start
    this.#onBatch = false
    this.leaveRecords()
  }

  /**
   * Moves to the next batch, from any position in the current one. Returns false at the end or before a partial batch
   * (see `partialBytes`); the reader has then released the buffer. Throws LatchkeyError('record_batch_corrupt') at this
   * and each further call, because no later batch can be found.
   */
  nextBatch(): boolean {
    this.leaveRecords()
    this.#onBatch = false
    this.#batchStart = this.#nextBatchStart
    if (this.readHeader(this.#buffer, this.#batchStart, this.#end)) {
      this.#nextBatchStart = this.#batchStart + this.batchBytes
      this.#onBatch = true
      return true
    }
    this.#buffer = noBytes
    this.#nextBatchStart = this.#end = 0
    return false
  }

  /** Returns the current batch as it is in the log, or undefined if there is no current batch. */
  rawBatch(): Buffer | undefined {
    return this.#onBatch ? this.#buffer.subarray(this.#batchStart, this.#nextBatchStart) : undefined
  }

  /**
   * Returns the type of a control batch: 0 abort, 1 commit, -1 anything else. Does not need `openRecords`, but only
   * that checks the CRC.
   */
  controlType(): number {
    if (!this.#onBatch || !this.isControl || this.compression !== 0 || this.recordCount === 0) return -1
    const cursor = new VarintCursor(this.#buffer, this.#batchStart + layout.recordsAt, this.#nextBatchStart)
    const length = cursor.varint()
    if (length === undefined || !cursor.skip(1) || !cursor.skipVarint(10) || !cursor.skipVarint(5)) return -1
    const keyLength = cursor.varint() // version int16, type int16
    if (keyLength === undefined || keyLength < 4 || !cursor.skip(4)) return -1
    const type = this.#buffer.readInt16BE(cursor.at - 2)
    return type === 0 || type === 1 ? type : -1
  }

  /**
   * Makes the current batch's records readable: checks its CRC32C, then decompresses it up to `maxDecompressedBytes`.
   * Throws LatchkeyError('record_batch_corrupt'); `nextBatch` can then skip the batch. If the size is the only fault,
   * `isOversized` returns true for the error, and `splitBatch` reads the batch.
   */
  openRecords(options: { checkCrc: boolean }): void {
    if (!this.#onBatch) throw new LatchkeyError('internal', 'Reading records: nextBatch has not found a batch')
    if (options.checkCrc) this.#checkCrc()
    const start = this.#batchStart + layout.recordsAt
    if (this.compression === 0 || this.recordCount === 0) {
      return this.beginRecords(this.#buffer, start, this.#nextBatchStart)
    }
    const records = this.#decompress(start)
    if (this.recordCount * layout.recordBytesMin > records.length) {
      throw this.corrupt(`${this.recordCount} records cannot be in ${records.length} decompressed bytes`)
    }
    this.beginRecords(records, 0, records.length)
  }

  #decompress(start: number): Buffer {
    try {
      return this.#decompressor.decompress(this.compression, this.#buffer.subarray(start, this.#nextBatchStart))
    } catch (cause) {
      const error = this.corrupt(`its records cannot be decompressed: ${messageOf(cause)}`, cause)
      if (!isTooLarge(cause)) throw error
      throw new LatchkeyError(error.code, error.message, { cause, details: { ...error.details, isOversized: true } })
    }
  }

  /** Whether the CRC32C of the current batch matches its header. */
  get isIntact(): boolean {
    return this.#onBatch && this.#crc() === this.#buffer.readUInt32BE(this.#batchStart + layout.crcAt)
  }

  #crc(): number {
    return crc32c(this.#buffer, this.#batchStart + layout.attributesAt, this.#nextBatchStart)
  }

  #checkCrc(): void {
    const expected = this.#buffer.readUInt32BE(this.#batchStart + layout.crcAt)
    const found = this.#crc()
    if (found !== expected) {
      throw this.corrupt(
        `its CRC32C is 0x${found.toString(16)}, its header says 0x${expected.toString(16)}; it was damaged in the log or on the way`,
      )
    }
  }
}
