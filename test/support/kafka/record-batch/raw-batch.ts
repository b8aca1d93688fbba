import { crc32c } from '../../../../lib/kafka/record-batch/index.ts'

/** A record batch byte by byte, independent of the builder and free to be wrong: each field can be set. */
export interface RawBatch {
  baseOffset?: bigint
  batchLength?: number
  leaderEpoch?: number
  magic?: number
  attributes?: number
  lastOffsetDelta?: number
  baseTimestamp?: bigint
  maxTimestamp?: bigint
  producerId?: bigint
  producerEpoch?: number
  baseSequence?: number
  recordCount?: number
  /** Encoded records one by one; they count unless `recordCount` says otherwise. */
  records?: readonly Buffer[]
  /** In place of `records`, for instance compressed. */
  body?: Buffer
}

export function rawBatch(fields: RawBatch): Buffer {
  const records = fields.records ?? []
  const count = fields.recordCount ?? records.length
  const batch = Buffer.concat([Buffer.alloc(61), fields.body ?? Buffer.concat(records)])
  batch.writeBigInt64BE(fields.baseOffset ?? 0n, 0)
  batch.writeInt32BE(fields.batchLength ?? batch.length - 12, 8)
  batch.writeInt32BE(fields.leaderEpoch ?? 0, 12)
  batch.writeInt8(fields.magic ?? 2, 16)
  batch.writeInt16BE(fields.attributes ?? 0, 21)
  batch.writeInt32BE(fields.lastOffsetDelta ?? Math.max(count - 1, 0), 23)
  batch.writeBigInt64BE(fields.baseTimestamp ?? 0n, 27)
  batch.writeBigInt64BE(fields.maxTimestamp ?? fields.baseTimestamp ?? 0n, 35)
  batch.writeBigInt64BE(fields.producerId ?? -1n, 43)
  batch.writeInt16BE(fields.producerEpoch ?? -1, 51)
  batch.writeInt32BE(fields.baseSequence ?? -1, 53)
  batch.writeInt32BE(count, 57)
  return withCrc(batch)
}

/** The same buffer with the CRC that fits it. */
export function withCrc(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17)
  return batch
}

export interface RawRecord {
  /** What the length prefix says; by default the truth. */
  length?: number
  timestampDelta?: bigint
  offsetDelta?: number
  key?: Buffer | string | null
  keyLength?: number
  value?: Buffer | string | null
  valueLength?: number
  headers?: readonly (readonly [string | null, Buffer | null])[]
  headerCount?: number
  /** Stands after the headers. */
  rest?: Buffer
}

export function rawRecord(fields: RawRecord): Buffer {
  const headers = fields.headers ?? []
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(fields.timestampDelta ?? 0n),
    varint(fields.offsetDelta ?? 0),
    span(fields.key === undefined ? 'key' : fields.key, fields.keyLength),
    span(fields.value === undefined ? 'value' : fields.value, fields.valueLength),
    varint(fields.headerCount ?? headers.length),
    ...headers.flatMap(([key, value]) => [span(key), span(value)]),
    fields.rest ?? Buffer.alloc(0),
  ])
  return Buffer.concat([varint(fields.length ?? body.length), body])
}

function span(content: Buffer | string | null, length?: number): Buffer {
  const bytes = content === null ? Buffer.alloc(0) : Buffer.from(content)
  return Buffer.concat([varint(length ?? (content === null ? -1 : bytes.length)), bytes])
}

/** Zigzag varint of a signed 64-bit integer. */
export function varint(value: number | bigint): Buffer {
  let raw = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  while (raw > 127n) {
    bytes.push(Number(raw & 127n) | 128)
    raw >>= 7n
  }
  bytes.push(Number(raw))
  return Buffer.from(bytes)
}

/** Bytes of a header `src` or `aft`. */
export function headerOf(sourceOffset: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(sourceOffset))
  return bytes
}
