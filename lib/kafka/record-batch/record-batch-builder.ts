/**
 * Builds record batches of magic 2 directly in one reusable buffer, without an object or view per record. A record has
 * at most one header of Latchkey: `src` with the offset of the source record, or `aft` with the offset that it follows.
 */
import { LatchkeyError } from '../../errors.ts'
import { type CompressionOptions, Compressor } from './compressor.ts'
import { crc32c } from './crc32c.ts'
import type { HeaderBytes } from './header-block.ts'
import * as layout from './layout.ts'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

/** The largest batch for a single record: what default brokers accept in one request (socket.request.max.bytes). */
export const hardMaxBytes = 100 * 1024 * 1024

// Key length 3 (zigzag), the key `src` or `aft`, value length 8 (zigzag)
const sourceHeader = [6, 0x73, 0x72, 0x63, 16] as const
const afterHeader = [6, 0x61, 0x66, 0x74, 16] as const
const ownHeaderBytes = sourceHeader.length + layout.sourceHeaderValueBytes

/**
 * Maximum size of a record without key, value and kept headers: length, attributes, timestamp, offset, two
 * lengths, own header.
 */
export const recordOverheadBytesMax = 5 + 1 + 10 + 5 + 5 + 5 + 1 + ownHeaderBytes

/**
 * Returns the exact size of a batch with a single record.
 * @param keyLength, valueLength bytes, or -1 for null
 * @param extra headers besides `src`
 */
export function batchBytesOfOne(
  keyLength: number,
  valueLength: number,
  hasSourceOffset: boolean,
  extra?: HeaderBytes,
): number {
  const body = bodyBytes(0, 0, keyLength, valueLength, hasSourceOffset, extra)
  return layout.recordsAt + varintBytes(body) + body
}

function bodyBytes(
  timestampDelta: number,
  offsetDelta: number,
  keyLength: number,
  valueLength: number,
  hasOwn: boolean,
  extra: HeaderBytes | undefined,
): number {
  const own = hasOwn ? ownHeaderBytes : 0
  const headers = extra === undefined ? 1 + own : varintBytes(extra.count + (hasOwn ? 1 : 0)) + own + extra.length
  return (
    1 +
    varlongBytes(timestampDelta) +
    varintBytes(offsetDelta) +
    varintBytes(keyLength) +
    Math.max(keyLength, 0) +
    varintBytes(valueLength) +
    Math.max(valueLength, 0) +
    headers
  )
}

// Deltas between two timestamps within ± this limit fit 64 bits. It allows the year 126,000,000, and nanoseconds.
const timestampLimit = 4e18

/** Returns the timestamp that `append` stores: the same unless it is out of range. */
export function storedTimestamp(timestamp: number): number {
  return Math.max(-timestampLimit, Math.min(timestamp, timestampLimit))
}

export interface ProducerState {
  producerId: number
  producerEpoch: number
  baseSequence: number
}

export interface BuilderOptions extends CompressionOptions {
  /** Maximum of records in a batch. */
  recordsMax: number
}

export class RecordBatchBuilder {
  readonly #own: Buffer
  readonly #recordsMax: number
  readonly #compressor: Compressor
  /** The compressed batch, until the next append. */
  #compressed: Buffer | undefined
  #buffer: Buffer
  #bytes = layout.recordsAt
  #count = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  /**
   * @param maxBytes maximum size of a batch with its header; a single larger record gets its own buffer up to
   *   `hardMaxBytes`
   */
  constructor(maxBytes: number, options?: BuilderOptions) {
    this.#own = Buffer.alloc(Math.max(maxBytes, layout.recordsAt))
    this.#buffer = this.#own
    this.#recordsMax = options?.recordsMax ?? Number.POSITIVE_INFINITY
    this.#compressor = new Compressor(options)
  }

  /** Records appended since the last reset. */
  get count(): number {
    return this.#count
  }

  /** Current size of the batch, including its header. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Encodes a record. Copies key and value from `source`.
   * @param keyLength -1 for null
   * @param valueLength -1 for null, a tombstone
   * @param timestamp ms, or -1 for none
   * @param sourceOffset value of the header `src`, or -1 for no such header
   * @param extra headers to write after that one
   * @param isAfter write `aft` instead of `src`: the record is not from the source, it follows the source record at
   *   that offset
   * @returns false if the record does not fit, with nothing changed: seal and reset first
   * @throws LatchkeyError('entry_too_large') if the record alone exceeds `hardMaxBytes`
   */
  append(
    source: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    timestamp: number,
    sourceOffset: number,
    extra?: HeaderBytes,
    isAfter = false,
  ): boolean {
    if (keyStart + keyLength > source.length || valueStart + valueLength > source.length) {
      throw new LatchkeyError(
        'internal',
        `Encoding a record: key or value lies outside its source of ${source.length} bytes`,
      )
    }
    if (this.#count >= this.#recordsMax) return false
    const time = storedTimestamp(timestamp)
    const timestampDelta = this.#count === 0 ? 0 : time - this.#baseTimestamp
    const hasOwn = sourceOffset !== -1 || isAfter
    const body = bodyBytes(timestampDelta, this.#count, keyLength, valueLength, hasOwn, extra)
    const end = this.#bytes + varintBytes(body) + body
    if (end > this.#buffer.length && !this.#grow(end)) return false
    const target = this.#buffer
    let at = writeVarint(target, this.#bytes, body)
    target[at++] = 0 // attributes
    at = writeVarlong(target, at, timestampDelta)
    at = writeVarint(target, at, this.#count)
    at = writeVarint(target, at, keyLength)
    at = copyBytes(source, keyStart, keyLength, target, at)
    at = writeVarint(target, at, valueLength)
    at = copyBytes(source, valueStart, valueLength, target, at)
    if (extra === undefined) target[at++] = hasOwn ? 2 : 0
    else at = writeVarint(target, at, extra.count + (hasOwn ? 1 : 0))
    if (hasOwn) {
      const header = isAfter ? afterHeader : sourceHeader
      for (let index = 0; index < header.length; index++) target[at++] = header[index]!
      layout.writeInt64(target, at, sourceOffset)
      at += layout.sourceHeaderValueBytes
    }
    if (extra !== undefined) copyBytes(extra.bytes, extra.start, extra.length, target, at)
    if (this.#count === 0) this.#baseTimestamp = this.#maxTimestamp = time
    else if (time > this.#maxTimestamp) this.#maxTimestamp = time
    this.#bytes = end
    this.#count++
    this.#compressed = undefined
    return true
  }

  /**
   * Completes the header and its CRC. Compresses the records if configured and if that makes them smaller. A second
   * call with another producer state reuses the records as they are.
   * @returns a view of the builder's buffer, valid until `reset`
   */
  seal(producer: ProducerState): Buffer {
    if (this.#count === 0) throw new LatchkeyError('internal', 'Sealing a record batch: it has no records')
    const target = this.#buffer
    layout.writeInt64(target, layout.baseOffsetAt, 0) // the broker sets it
    layout.writeInt32(target, layout.batchLengthAt, this.#bytes - layout.lengthPrefixBytes)
    layout.writeInt32(target, layout.partitionLeaderEpochAt, -1) // the broker sets it
    target[layout.magicAt] = layout.currentMagic
    target.writeInt16BE(0, layout.attributesAt) // no compression, timestamps by the producer, not transactional
    layout.writeInt32(target, layout.lastOffsetDeltaAt, this.#count - 1)
    layout.writeInt64(target, layout.baseTimestampAt, this.#baseTimestamp)
    layout.writeInt64(target, layout.maxTimestampAt, this.#maxTimestamp)
    layout.writeInt64(target, layout.producerIdAt, producer.producerId)
    target.writeInt16BE(producer.producerEpoch, layout.producerEpochAt)
    layout.writeInt32(target, layout.baseSequenceAt, producer.baseSequence)
    layout.writeInt32(target, layout.recordCountAt, this.#count)
    return this.#compressor.compression === 0 ? withCrc(this.plain()) : this.#sealCompressed()
  }

  /** Returns the sealed batch uncompressed. If the batch was compressed, its CRC is not set. */
  plain(): Buffer {
    return this.#buffer.subarray(0, this.#bytes)
  }

  #sealCompressed(): Buffer {
    const plain = this.plain()
    const isNew = this.#compressed === undefined
    const sealed = (this.#compressed ??= this.#compressor.compress(plain, layout.recordsAt, plain.length) ?? plain)
    if (sealed === plain || sealed.buffer === plain.buffer) return withCrc(sealed)
    if (!isNew) plain.copy(sealed, 0, 0, layout.recordsAt)
    layout.writeInt32(sealed, layout.batchLengthAt, sealed.length - layout.lengthPrefixBytes)
    sealed.writeInt16BE(this.#compressor.compression, layout.attributesAt)
    return withCrc(sealed)
  }

  /** Empties the builder. The result of `seal` may be overwritten from now on. */
  reset(): void {
    this.#buffer = this.#own
    this.#bytes = layout.recordsAt
    this.#count = 0
    this.#compressed = undefined
  }

  #grow(bytes: number): boolean {
    if (this.#count > 0) return false
    if (bytes > hardMaxBytes) {
      throw new LatchkeyError(
        'entry_too_large',
        `Encoding a record: its batch takes ${bytes} bytes, allowed are ${hardMaxBytes}`,
      )
    }
    this.#buffer = Buffer.alloc(bytes)
    return true
  }
}

function withCrc(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch, layout.attributesAt, batch.length), layout.crcAt)
  return batch
}

/** Below this length a loop is faster than the call. */
const loopBytesMax = 32

function copyBytes(source: Uint8Array, start: number, length: number, target: Buffer, at: number): number {
  if (length <= 0) return at
  if (length <= loopBytesMax) for (let index = 0; index < length; index++) target[at + index] = source[start + index]!
  else Buffer.prototype.copy.call(source, target, at, start, start + length)
  return at + length
}
