/**
 * Fetch: version 13 by topic id, or version 11 by name. Without a session: each request has all positions.
 * https://kafka.apache.org/protocol#The_Messages_Fetch
 */
import type { FetchConfig } from '../../store-protocol/client-config.ts'
import { Encoder, type RawRequest } from '../connection/raw-request.ts'
import { apiKeys } from './api-keys.ts'
import { noTags, writeCompactLength, writeCompactString, writeUuid } from './flexible.ts'
import { reading, ResponseCursor } from './response-cursor.ts'

export type FetchOptions = Omit<FetchConfig, 'checkCrcs'>

export interface FetchPosition {
  partition: number
  offset: number
  /** Leader epoch that we know. A broker in another epoch refuses the request (KIP-320). */
  leaderEpoch?: number
}

export interface AbortedTransaction {
  producerId: number
  firstOffset: number
}

/** One partition of a response. `buffer` from `start` to `end` holds record batches; the last one may be incomplete. */
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

const versionByName = 11
/** First version with topic ids (KIP-516), which exclude another topic of the same name. */
const versionById = 13

/** How a request may name its topic. */
export interface TopicName {
  /** Undefined if unknown. */
  id: string | undefined
  /** Highest version of Fetch that the broker supports. */
  versionMax: number
}

/** @param by topic id and version; if absent, the request has the topic's name */
export function fetchRequest(
  topic: string,
  positions: readonly FetchPosition[],
  options: FetchOptions,
  by?: TopicName,
): RawRequest {
  const topicId = by !== undefined && by.versionMax >= versionById ? by.id : undefined
  const isById = topicId !== undefined
  return {
    apiKey: apiKeys.Fetch,
    apiVersion: isById ? versionById : versionByName,
    apiName: 'Fetch',
    encode() {
      const encoder = new Encoder(128 + topic.length * 3 + positions.length * 33)
      if (isById) encoder.writeInt8(noTags)
      encoder.writeInt32(-1).writeInt32(options.maxWaitMs).writeInt32(options.minBytes).writeInt32(options.maxBytes)
      encoder.writeInt8(options.isolation === 'read_committed' ? 1 : 0)
      encoder.writeInt32(0).writeInt32(-1) // no session
      if (isById) writeCompactLength(writeUuid(writeCompactLength(encoder, 1), topicId), positions.length)
      else encoder.writeInt32(1).writeString(topic).writeInt32(positions.length)
      for (const { partition, offset, leaderEpoch = -1 } of positions) {
        encoder.writeInt32(partition).writeInt32(leaderEpoch).writeInt64(offset)
        if (isById) encoder.writeInt32(-1) // the epoch of the last fetched batch: leader-epochs.ts checks it
        encoder.writeInt64(-1).writeInt32(options.partitionMaxBytes)
        if (isById) encoder.writeInt8(noTags)
      }
      if (!isById) return encoder.writeInt32(0).writeString(options.rack) // no forgotten topics
      encoder.writeInt8(noTags)
      return writeCompactString(writeCompactLength(encoder, 0), options.rack).writeInt8(noTags)
    },
  }
}

export interface FetchResponse {
  throttleMs: number
  errorCode: number
  partitions: FetchedPartition[]
}

/** @param apiVersion of the request */
export function parseFetchResponse(buffer: Buffer, apiVersion = versionByName): FetchResponse {
  return reading('Fetch', () => parse(buffer, apiVersion >= versionById))
}

function parse(buffer: Buffer, isById: boolean): FetchResponse {
  const response = new ResponseCursor(buffer, 'Fetch')
  if (isById) response.tags()
  const throttleMs = response.int32()
  const errorCode = response.int16()
  response.skip(4) // session
  const partitions: FetchedPartition[] = []
  const parseTopic = () => {
    if (isById) response.uuid()
    else response.string()
    const parseOne = () => void partitions.push(parsePartition(response, buffer, isById))
    if (isById) {
      response.compactArray(parseOne)
      response.tags()
    } else response.array(parseOne)
  }
  if (isById) response.compactArray(parseTopic)
  else response.array(parseTopic)
  return { throttleMs, errorCode, partitions }
}

function parsePartition(response: ResponseCursor, buffer: Buffer, isById: boolean): FetchedPartition {
  const partition = response.int32()
  const errorCode = response.int16()
  const highWatermark = response.offset()
  const lastStableOffset = response.offset()
  const logStartOffset = response.offset()
  const parseAborted = () => {
    const aborted = { producerId: response.offset(), firstOffset: response.offset() }
    if (isById) response.tags()
    return aborted
  }
  const abortedTransactions = isById ? response.compactArray(parseAborted) : response.array(parseAborted)
  const preferredReadReplica = response.int32()
  const bytes = Math.max(isById ? response.unsignedVarint() - 1 : response.int32(), 0)
  const start = response.at
  response.skip(bytes)
  if (isById) response.tags()
  return {
    partition,
    errorCode,
    highWatermark,
    // With read_uncommitted the response has no last stable offset: all records can be read.
    lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
    logStartOffset,
    abortedTransactions,
    preferredReadReplica,
    buffer,
    start,
    end: start + bytes,
  }
}
