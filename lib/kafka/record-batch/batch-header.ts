import { corrupt } from './corrupt.ts'
import * as layout from './layout.ts'

/** The fields of a record batch's header, read and checked. The same object is reused for each batch. */
export class RecordBatchHeader {
  /** Offset of the batch's first record, even if compaction has removed that record. */
  baseOffset = -1
  /** The position after the batch: base offset + last offset delta + 1, even if compaction has removed records. */
  nextOffset = -1
  /** Records in the batch. May be 0, because compaction leaves empty batches. */
  recordCount = 0
  /** Size of the whole batch, including its header. */
  batchBytes = 0
  partitionLeaderEpoch = -1
  compression: layout.Compression = 0
  /** 0: the producer set the timestamps. 1: the broker set them on append, the same for all records of the batch. */
  timestampType: 0 | 1 = 0
  isTransactional = false
  isControl = false
  baseTimestamp = -1
  /** Milliseconds, or -1 if the records have no timestamp. */
  maxTimestamp = -1
  /** -1 without an idempotent producer. */
  producerId = -1
  producerEpoch = -1
  baseSequence = -1
  /**
   * Full size in bytes that a trailing partial batch claims. -1 if there is no partial batch, or if it is too short to
   * have a length field.
   */
  partialBytes = -1

  /**
   * Reads the header at `bytes[start]`. Returns false if the batch does not end before `end`; then only `partialBytes`
   * has changed. Throws LatchkeyError('record_batch_corrupt') if the magic is not 2 or the numbers are impossible.
   */
  protected readHeader(bytes: Buffer, start: number, end: number): boolean {
    this.partialBytes = -1
    const room = end - start
    if (room < layout.lengthPrefixBytes) return false
    const baseOffset = layout.readInt64(bytes, start + layout.baseOffsetAt)
    const batchLength = bytes.readInt32BE(start + layout.batchLengthAt)
    const attempted = `Reading record batch at offset ${baseOffset}`
    if (batchLength < layout.oldMessageBytesMin) {
      throw corrupt(attempted, `its length field is ${batchLength}`, { baseOffset })
    }
    if (room > layout.magicAt) checkMagic(bytes.readInt8(start + layout.magicAt), attempted, baseOffset)
    const batchBytes = layout.lengthPrefixBytes + batchLength
    if (batchBytes < layout.recordsAt) {
      throw corrupt(attempted, `its length field is ${batchLength}, less than its header takes`, { baseOffset })
    }
    if (batchBytes > room) {
      this.partialBytes = batchBytes
      return false
    }
    this.#readFields(bytes, start, baseOffset, batchBytes, attempted)
    return true
  }

  #readFields(bytes: Buffer, start: number, baseOffset: number, batchBytes: number, attempted: string): void {
    const attributes = bytes.readInt16BE(start + layout.attributesAt)
    const lastOffsetDelta = bytes.readInt32BE(start + layout.lastOffsetDeltaAt)
    const recordCount = bytes.readInt32BE(start + layout.recordCountAt)
    const producerId = layout.readInt64(bytes, start + layout.producerIdAt)
    const compression = attributes & layout.compressionMask
    const nextOffset = baseOffset + lastOffsetDelta + 1
    // A compressed batch may hold any number of records. openRecords() compares it with the decompressed bytes.
    const recordsMax =
      compression === 0 ? (batchBytes - layout.recordsAt) / layout.recordBytesMin : Number.POSITIVE_INFINITY
    const fault =
      baseOffset < 0 || nextOffset > Number.MAX_SAFE_INTEGER
        ? 'its offsets are outside 0 to 2^53 - 1'
        : recordCount < 0 || recordCount > recordsMax
          ? `its record count is ${recordCount} in ${batchBytes} bytes`
          : lastOffsetDelta < 0 || lastOffsetDelta < recordCount - 1
            ? `its last offset delta is ${lastOffsetDelta} with ${recordCount} records`
            : compression >= layout.compressionNames.length
              ? `its compression code is ${compression}`
              : !Number.isSafeInteger(producerId)
                ? `its producer id is ${producerId}`
                : undefined
    if (fault !== undefined) throw corrupt(attempted, fault, { baseOffset, batchBytes })
    this.baseOffset = baseOffset
    this.nextOffset = nextOffset
    this.recordCount = recordCount
    this.batchBytes = batchBytes
    this.partitionLeaderEpoch = bytes.readInt32BE(start + layout.partitionLeaderEpochAt)
    this.compression = compression as layout.Compression
    this.timestampType = attributes & layout.logAppendTimeBit ? 1 : 0
    this.isTransactional = (attributes & layout.transactionalBit) !== 0
    this.isControl = (attributes & layout.controlBit) !== 0
    this.baseTimestamp = layout.readInt64(bytes, start + layout.baseTimestampAt)
    this.maxTimestamp = layout.readInt64(bytes, start + layout.maxTimestampAt)
    this.producerId = producerId
    this.producerEpoch = bytes.readInt16BE(start + layout.producerEpochAt)
    this.baseSequence = bytes.readInt32BE(start + layout.baseSequenceAt)
  }
}

function checkMagic(magic: number, attempted: string, baseOffset: number): void {
  if (magic === layout.currentMagic) return
  const found =
    magic === 0 || magic === 1
      ? `its magic is ${magic}, the message format before Kafka 0.11; write the topic again with a current producer`
      : `its magic is ${magic}, known is 2`
  throw corrupt(attempted, found, { baseOffset, magic })
}
