/**
 * Positions of the fields of a record batch of magic 2, from the first byte of the batch.
 * Source: https://kafka.apache.org/documentation/#recordbatch and org.apache.kafka.common.record.DefaultRecordBatch.
 */
export const baseOffsetAt = 0 // int64
export const batchLengthAt = 8 // int32: bytes after this field
export const partitionLeaderEpochAt = 12 // int32
export const magicAt = 16 // int8
export const crcAt = 17 // uint32, over everything from the attributes on
export const attributesAt = 21 // int16
export const lastOffsetDeltaAt = 23 // int32
export const baseTimestampAt = 27 // int64
export const maxTimestampAt = 35 // int64
export const producerIdAt = 43 // int64
export const producerEpochAt = 51 // int16
export const baseSequenceAt = 53 // int32
export const recordCountAt = 57 // int32
export const recordsAt = 61

/** Base offset and batch length: the bytes before those that the batch length counts. */
export const lengthPrefixBytes = 12
/** The shortest message of magic 0: CRC, magic, attributes, lengths of key and value. No legal batch is shorter. */
export const oldMessageBytesMin = 14

export const currentMagic = 2

// Attributes
export const compressionMask = 0x07
export const logAppendTimeBit = 0x08
export const transactionalBit = 0x10
export const controlBit = 0x20

/** Type of the control batch that ends an aborted transaction. */
export const abortMarker = 0

export const compressionNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Compression = 0 | 1 | 2 | 3 | 4

/** Minimum size of a record of magic 2: length, attributes, timestamp and offset delta, two lengths, header count. */
export const recordBytesMin = 7

/**
 * Maximum size to which one batch is decompressed at once, and maximum size of a record. Default brokers accept
 * requests up to 100 MiB, so a batch that fits uncompressed is below it. A larger one is read in pieces
 * (split-batch.ts).
 */
export const maxDecompressedBytes = 128 * 1024 * 1024

/**
 * Maximum size to which one block of a compressed batch may decompress when it is read in pieces. Raw Snappy is a
 * single block.
 */
export const maxBlockBytes = 512 * 1024 * 1024

/**
 * Names of the headers that Latchkey adds to records of the changelog: the offset of the source record, or the source
 * offset that a record follows. A source record's headers of these names are not kept.
 */
export const reservedHeaders: ReadonlySet<string> = new Set(['src', 'aft'])
/** Size of the value of the header `src`, which holds a record's source offset. */
export const sourceHeaderValueBytes = 8
/** Values below 0 are not offsets: -1 means none, -2 is a mark that the writer may use. */
export const sourceOffsetMin = -2

/** Reads a signed big-endian 64-bit integer as a number: exact up to ±2^53, the nearest double beyond. */
export function readInt64(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  const low = (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!
  return high * 0x1_0000_0000 + (low >>> 0)
}

/** Writes an integer within ±2^63 as a signed big-endian 64-bit integer. */
export function writeInt64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  const low = value - high * 0x1_0000_0000
  writeInt32(bytes, at, high)
  writeInt32(bytes, at + 4, low)
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
