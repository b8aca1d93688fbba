/** Fetch, version 11, without a session: positions go with every request. https://kafka.apache.org/protocol#The_Messages_Fetch */
import { LatchkeyError } from '../errors.ts'
import { Encoder, type RawRequest } from './kafkajs.ts'
import { type FetchConfig } from '../contract/client-config.ts'

export type FetchOptions = Omit<FetchConfig, 'checkCrcs'>

export interface FetchPosition {
  partition: number
  offset: number
}

export interface AbortedTransaction {
  producerId: number
  firstOffset: number
}

/** One partition of a response. `buffer` from `start` to `end` holds record batches, the last one perhaps cut off. */
export interface FetchedPartition {
  partition: number
  errorCode: number
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
  abortedTransactions: AbortedTransaction[]
  preferredReadReplica: number
  buffer: Buffer
  start: number
  end: number
}

export function fetchRequest(topic: string, positions: readonly FetchPosition[], options: FetchOptions): RawRequest {
  return {
    apiKey: 1,
    apiVersion: 11,
    apiName: 'Fetch',
    encode() {
      const encoder = new Encoder(128 + topic.length * 3 + positions.length * 28)
      encoder.writeInt32(-1).writeInt32(options.maxWaitMs).writeInt32(options.minBytes).writeInt32(options.maxBytes)
      encoder.writeInt8(options.isolation === 'read_committed' ? 1 : 0)
      encoder.writeInt32(0).writeInt32(-1) // no session
      encoder.writeInt32(1).writeString(topic).writeInt32(positions.length)
      for (const { partition, offset } of positions) {
        encoder.writeInt32(partition).writeInt32(-1) // leader epoch not known
        encoder.writeInt64(offset).writeInt64(-1).writeInt32(options.partitionMaxBytes)
      }
      return encoder.writeInt32(0).writeString(options.rack) // no forgotten topics
    },
  }
}

export interface FetchResponse {
  throttleMs: number
  errorCode: number
  partitions: FetchedPartition[]
}

export function parseFetchResponse(buffer: Buffer): FetchResponse {
  try {
    return parse(buffer)
  } catch (cause) {
    if (cause instanceof LatchkeyError) throw cause
    const found = `${buffer.length} bytes that end too early`
    throw new LatchkeyError('response_malformed', `Reading a Fetch response: ${found}`, { cause })
  }
}

function parse(buffer: Buffer): FetchResponse {
  const throttleMs = buffer.readInt32BE(0)
  const errorCode = buffer.readInt16BE(4)
  let at = 10
  const topics = buffer.readInt32BE(at)
  at += 4
  const partitions: FetchedPartition[] = []
  for (let t = 0; t < topics; t++) {
    at += 2 + buffer.readInt16BE(at)
    const count = buffer.readInt32BE(at)
    at += 4
    for (let p = 0; p < count; p++) {
      const fetched = parsePartition(buffer, at)
      partitions.push(fetched)
      at = fetched.end
    }
  }
  return { throttleMs, errorCode, partitions }
}

function parsePartition(buffer: Buffer, start: number): FetchedPartition {
  let at = start + 30
  const abortedTransactions: AbortedTransaction[] = []
  const aborted = buffer.readInt32BE(at)
  at += 4
  for (let i = 0; i < aborted; i++, at += 16) {
    abortedTransactions.push({ producerId: int64(buffer, at), firstOffset: int64(buffer, at + 8) })
  }
  const preferredReadReplica = buffer.readInt32BE(at)
  const length = Math.max(buffer.readInt32BE(at + 4), 0)
  at += 8
  if (at + length > buffer.length) {
    const found = `records of ${length} bytes where ${buffer.length - at} are left`
    throw new LatchkeyError('response_malformed', `Reading a Fetch response: ${found}`)
  }
  const highWatermark = int64(buffer, start + 6)
  const lastStableOffset = int64(buffer, start + 14)
  return {
    partition: buffer.readInt32BE(start),
    errorCode: buffer.readInt16BE(start + 4),
    highWatermark,
    // With read_uncommitted the broker does not say: all there is can be read.
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    logStartOffset: int64(buffer, start + 22),
    abortedTransactions,
    preferredReadReplica,
    buffer,
    start: at,
    end: at + length,
  }
}

function int64(buffer: Buffer, at: number): number {
  return Number(buffer.readBigInt64BE(at))
}
