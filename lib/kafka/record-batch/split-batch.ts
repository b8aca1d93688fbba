/**
 * Splits a batch whose records are too large to decompress at once into several uncompressed batches with the same
 * records, offsets and timestamps. A broker checks only the compressed size, so a legal batch of a few kilobytes may
 * hold gigabytes. Memory holds one piece of it at a time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { LatchkeyError, messageOf } from '../../errors.ts'
import { corrupt } from './corrupt.ts'
import { crc32c } from './crc32c.ts'
import * as layout from './layout.ts'
import { lz4Pieces } from './lz4-frame.ts'
import { OutputBuffer } from './output-buffer.ts'
import { snappyPieces } from './snappy.ts'
import { VarintCursor } from './varint-cursor.ts'

const pieceBytesDefault = 8 << 20
const chunkBytes = 256 << 10
/** Length, attributes, timestamp and offset delta of a record: the part of an oversized record that is read. */
const recordHeadBytesMax = 5 + 1 + 10 + 5
/** Longest key that is reported of an oversized record, so that many such records cannot fill memory with keys. */
const reportedKeyBytesMax = 64 << 10

/** A record larger than the maximum for a decompressed batch. It cannot be stored. */
export interface OversizedRecord {
  offset: number
  bytes: number
  /** Offset after it; after the batch if it is the last record. */
  next: number
  /** undefined if it is null or longer than 64 KiB. */
  key: Buffer | undefined
}

/** Returns whether the only fault of the records of a batch is their size. Then the batch can be split. */
export function isOversized(error: unknown): error is LatchkeyError {
  return error instanceof LatchkeyError && error.details['isOversized'] === true
}

/**
 * Yields uncompressed batches with the records of a batch.
 * @param batch whole and compressed, its CRC checked
 * @param pieceBytes size from which a piece is yielded; a larger record is a separate piece
 * @returns batches in the order of their offsets, valid until the next one; their transaction bit is not set
 * @throws LatchkeyError record_batch_corrupt if the batch cannot be decompressed, or its records end too early
 */
export async function* splitBatch(
  batch: Buffer,
  pieceBytes = pieceBytesDefault,
): AsyncGenerator<Buffer | OversizedRecord> {
  const pieces = new Pieces(batch, pieceBytes)
  const compression = batch.readInt16BE(layout.attributesAt) & layout.compressionMask
  let untilTurn = pieceBytesDefault
  try {
    for await (const chunk of inflated(compression as layout.Compression, batch.subarray(layout.recordsAt))) {
      for (let at = 0; at < chunk.length; at += chunkBytes) {
        // Snappy and LZ4 decompress synchronously, so other events need a turn.
        if ((untilTurn -= chunkBytes) <= 0) {
          untilTurn = pieceBytesDefault
          await nextTurn()
        }
        pieces.add(chunk.subarray(at, at + chunkBytes))
        for (let piece = pieces.nextPiece(); piece !== undefined; piece = pieces.nextPiece()) yield piece
      }
      // No consumer reads what follows the last record.
      if (pieces.recordsLeft === 0) return
    }
    for (let piece = pieces.lastPiece(); piece !== undefined; piece = pieces.lastPiece()) yield piece
    if (pieces.recordsLeft > 0) throw new Error(`${pieces.recordsLeft} of them are missing`)
  } catch (cause) {
    const baseOffset = layout.readInt64(batch, layout.baseOffsetAt)
    const found = `its records cannot be decompressed in pieces: ${messageOf(cause)}`
    throw corrupt(`Reading record batch at offset ${baseOffset}`, found, { baseOffset }, cause)
  }
}

async function* inflated(compression: layout.Compression, bytes: Buffer): AsyncGenerator<Buffer> {
  const name = layout.compressionNames[compression]
  if (name === 'none') return yield bytes
  const output = new OutputBuffer(layout.maxBlockBytes, 0)
  if (name === 'snappy') return yield* snappyPieces(bytes, output)
  if (name === 'lz4') return yield* lz4Pieces(bytes, output)
  const stream =
    name === 'gzip' ? createGunzip({ chunkSize: chunkBytes }) : createZstdDecompress({ chunkSize: chunkBytes })
  stream.end(bytes)
  yield* stream as AsyncIterable<Buffer>
}

/** Collects decompressed bytes and returns whole records. */
class Pieces {
  recordsLeft: number
  readonly #batch: Buffer
  readonly #pieceBytes: number
  readonly #output: OutputBuffer
  #used = 0
  /** Bytes to collect before the next search for whole records. */
  #wanted: number
  /** Bytes of an oversized record that are still to be skipped. */
  #passOver = 0

  constructor(batch: Buffer, pieceBytes: number) {
    this.#batch = batch
    this.#pieceBytes = pieceBytes
    this.#wanted = pieceBytes
    this.#output = new OutputBuffer(layout.maxDecompressedBytes + layout.maxBlockBytes, 0)
    this.recordsLeft = batch.readInt32BE(layout.recordCountAt)
  }

  add(chunk: Buffer): void {
    const passed = Math.min(this.#passOver, chunk.length)
    this.#passOver -= passed
    const end = this.#used + chunk.length - passed
    this.#output.reserve(end, this.#used)
    chunk.copy(this.#output.bytes, this.#used, passed)
    this.#used = end
  }

  /** Returns the next piece if there are enough bytes. */
  nextPiece(): Buffer | OversizedRecord | undefined {
    return this.#used < this.#wanted ? undefined : this.lastPiece()
  }

  /** Returns the collected whole records, up to the size of a piece. */
  lastPiece(): Buffer | OversizedRecord | undefined {
    const cursor = new VarintCursor(this.#output.bytes, 0, this.#used)
    let count = 0
    let end = 0
    let lastDelta = -1
    this.#wanted = this.#pieceBytes
    while (count < this.recordsLeft && end < this.#pieceBytes) {
      const length = cursor.varint()
      if (length === undefined) break
      if (length < layout.recordBytesMin - 1) throw new Error(`a record says that it has ${length} bytes`)
      const next = cursor.at + length
      const delta = offsetDelta(cursor)
      if (next > this.#used) {
        if (count > 0 || delta === undefined) break
        if (length > layout.maxDecompressedBytes) return this.#refuse(delta, length, next, keyAt(cursor))
        this.#wanted = next
        return undefined
      }
      if (delta !== undefined) lastDelta = delta
      cursor.at = end = next
      count++
    }
    if (count === 0) {
      this.#wanted = Math.max(this.#pieceBytes, this.#used + recordHeadBytesMax)
      return undefined
    }
    this.recordsLeft -= count
    const piece = this.#piece(end, count, lastDelta)
    this.#drop(end)
    return piece
  }

  #refuse(delta: number, bytes: number, end: number, key: Extent | undefined): OversizedRecord {
    this.recordsLeft--
    // Copied, because the next chunk overwrites it.
    const copied = key && Buffer.from(this.#output.bytes.subarray(key.start, key.end))
    this.#passOver = end - this.#used
    this.#used = 0
    const baseOffset = layout.readInt64(this.#batch, layout.baseOffsetAt)
    const lastDelta = this.recordsLeft === 0 ? this.#batch.readInt32BE(layout.lastOffsetDeltaAt) : delta
    return { offset: baseOffset + delta, bytes, next: baseOffset + lastDelta + 1, key: copied }
  }

  #piece(end: number, count: number, lastDelta: number): Buffer {
    const piece = Buffer.allocUnsafeSlow(layout.recordsAt + end)
    this.#batch.copy(piece, 0, 0, layout.recordsAt)
    this.#output.bytes.copy(piece, layout.recordsAt, 0, end)
    const attributes = this.#batch.readInt16BE(layout.attributesAt)
    const cleared = layout.compressionMask | layout.transactionalBit
    piece.writeInt16BE(attributes & ~cleared, layout.attributesAt)
    layout.writeInt32(piece, layout.batchLengthAt, piece.length - layout.lengthPrefixBytes)
    layout.writeInt32(piece, layout.recordCountAt, count)
    // The last piece ends where the batch ends, even if compaction has removed its last records.
    if (this.recordsLeft > 0) layout.writeInt32(piece, layout.lastOffsetDeltaAt, Math.max(lastDelta, count - 1))
    piece.writeUInt32BE(crc32c(piece, layout.attributesAt, piece.length), layout.crcAt)
    return piece
  }

  #drop(end: number): void {
    this.#output.bytes.copyWithin(0, end, this.#used)
    this.#used -= end
  }
}

/** Returns the offset delta of the record whose length the cursor has read, or undefined if it is unreadable. */
function offsetDelta(cursor: VarintCursor): number | undefined {
  return cursor.skip(1) && cursor.skipVarint(10) ? cursor.varint() : undefined
}

interface Extent {
  start: number
  end: number
}

/** Returns where the key is whose length the cursor is before, if all of it is there and it is not too long. */
function keyAt(cursor: VarintCursor): Extent | undefined {
  const length = cursor.varint()
  if (length === undefined || length < 0 || length > reportedKeyBytesMax) return undefined
  const start = cursor.at
  return cursor.skip(length) ? { start, end: start + length } : undefined
}
