/**
 * Record batches of magic 2, encoded straight into one buffer that is reused: no object or view per record.
 * Records carry at most one header of ours: `src`, the offset of the source record, or `aft`, the one that they come after.
 */
import { LatchkeyError } from '../../errors.ts'
import { type CompressionOptions, Compressor } from './compressor.ts'
import { crc32c } from './crc32c.ts'
import { type HeaderBytes } from './header-block.ts'
import * as layout from './layout.ts'
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts'

/** The largest batch that a builder makes for one record: what default brokers take in one request (socket.request.max.bytes). */
export const hardMaxBytes = 100 * 1024 * 1024

// A key of three bytes, `src` or `aft`, and a value of eight bytes
const sourceHeader = [6, 0x73, 0x72, 0x63, 16] as const
const afterHeader = [6, 0x61, 0x66, 0x74, 16] as const
const ownHeaderBytes = sourceHeader.length + layout.sourceHeaderValueBytes

/** The most that a record takes beside key, value and headers that are kept: length, attributes, timestamp, offset, two lengths, our header. */
export const recordOverheadBytesMax = 5 + 1 + 10 + 5 + 5 + 5 + 1 + ownHeaderBytes

/** Exact size of a batch with one record alone. @param keyLength, valueLength bytes, -1 null @param extra headers beside our own */
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

// Deltas between two timestamps within these fit 64 bits. The year 126,000,000 will do, nanoseconds instead of milliseconds too.
const timestampLimit = 4e18

/** The timestamp that a record gets that is appended with `timestamp`: the same but for those beyond all reason. */
export function storedTimestamp(timestamp: number): number {
  return Math.max(-timestampLimit, Math.min(timestamp, timestampLimit))
}

export interface ProducerState {
  producerId: number
  producerEpoch: number
  baseSequence: number
}

export interface BuilderOptions extends CompressionOptions {
  /** Records that a batch may have. */
  recordsMax: number
}

export class RecordBatchBuilder {
  readonly #own: Buffer
  readonly #recordsMax: number
  readonly #compressor: Compressor
  /** The batch compressed, while nothing was appended since. */
  #compressed: Buffer | undefined
  #buffer: Buffer
  #bytes = layout.recordsAt
  #count = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  /** @param maxBytes the size that a batch may have, its header included; a single larger record gets a buffer of its own up to `hardMaxBytes` */
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

  /** Size of the batch so far, its header included. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Encodes a record: key and value are copied out of `source`.
   * @param keyLength -1 null
   * @param valueLength -1 null, a tombstone
   * @param timestamp ms, -1 none
   * @param sourceOffset goes into the header `src`; -1 no such header
   * @param extra headers to be written behind that
   * @param isAfter the offset goes into the header `aft` instead: the record is none of the source's, and comes after the one at that offset
   * @returns false where it does not fit, with nothing changed: seal and reset first
   * @throws LatchkeyError('entry_too_large') where it does not fit `hardMaxBytes` even alone
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
   * Completes the header and its CRC, and compresses the records where that was asked for and makes them smaller. May be called again with another
   * producer state: the records stay, and are not compressed again.
   * @returns a view of the builder's own buffer, valid until `reset`
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

  /** The batch as it was before it was compressed, once it was sealed; without a CRC where it was. */
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

  /** Empties the builder; what `seal` returned is written over from now on. */
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

/** Below this a loop beats the call. */
const loopBytesMax = 32

function copyBytes(source: Uint8Array, start: number, length: number, target: Buffer, at: number): number {
  if (length <= 0) return at
  if (length <= loopBytesMax) for (let index = 0; index < length; index++) target[at + index] = source[start + index]!
  else Buffer.prototype.copy.call(source, target, at, start, start + length)
  return at + length
}
