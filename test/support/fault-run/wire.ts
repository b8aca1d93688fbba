/** What the proxy has to understand of the frames that pass it: Produce v7, OffsetCommit v5, Fetch v11 (without their lengths). */
import { parseProduceResponse, type ProduceResult } from '../../../lib/kafka/protocol/produce.ts'

/** Api keys: https://kafka.apache.org/protocol#protocol_api_keys */
export const api = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  createTopics: 19,
  initProducerId: 22,
  addPartitions: 24,
  endTransaction: 26,
} as const

export interface ProducedBatch {
  partition: number
  producerId: number
  epoch: number
  sequence: number
  /** Offsets that it takes. */
  span: number
  /** As text: what a test looks for. */
  body: string
}

export interface ProduceRequest {
  topic: string
  batches: ProducedBatch[]
}

/** Behind api key, version, correlation id and client id. */
function bodyAt(frame: Buffer): number {
  return 10 + Math.max(frame.readInt16BE(8), 0)
}

export function readProduceRequest(frame: Buffer): ProduceRequest {
  let at = bodyAt(frame)
  at += 2 + Math.max(frame.readInt16BE(at), 0) // transactional id
  at += 10 // acks, timeout, one topic
  const topicBytes = frame.readInt16BE(at)
  const topic = frame.toString('utf8', at + 2, at + 2 + topicBytes)
  at += 2 + topicBytes
  const batches: ProducedBatch[] = []
  const count = frame.readInt32BE(at)
  at += 4
  for (let i = 0; i < count; i++) {
    const bytes = frame.readInt32BE(at + 4)
    const batch = at + 8
    batches.push({
      partition: frame.readInt32BE(at),
      span: frame.readInt32BE(batch + 23) + 1,
      producerId: Number(frame.readBigInt64BE(batch + 43)),
      epoch: frame.readInt16BE(batch + 51),
      sequence: frame.readInt32BE(batch + 53),
      body: frame.toString('latin1', batch + 61, batch + bytes),
    })
    at = batch + bytes
  }
  return { topic, batches }
}

export function readProduceResponse(frame: Buffer): ProduceResult[] {
  return parseProduceResponse(frame.subarray(4))
}

export interface CommittedPartition {
  partition: number
  offset: number
}

export function readOffsetCommit(frame: Buffer): { group: string; topic: string; partitions: CommittedPartition[] } {
  let at = bodyAt(frame)
  const text = () => {
    const bytes = Math.max(frame.readInt16BE(at), 0)
    at += 2 + bytes
    return frame.toString('utf8', at - bytes, at)
  }
  const group = text()
  at += 4 // generation
  text() // member
  at += 4 // one topic
  const topic = text()
  const partitions: CommittedPartition[] = []
  const count = frame.readInt32BE(at)
  at += 4
  for (let i = 0; i < count; i++) {
    partitions.push({ partition: frame.readInt32BE(at), offset: Number(frame.readBigInt64BE(at + 4)) })
    at += 12
    text() // metadata
  }
  return { group, topic, partitions }
}

/** Partitions of the one topic of an OffsetCommit that the broker has refused, of its answer. */
export function readRefusedCommits(frame: Buffer): Set<number> {
  let at = 4 + 4 + 4 // correlation id, throttle time, one topic
  at += 2 + Math.max(frame.readInt16BE(at), 0)
  const count = frame.readInt32BE(at)
  at += 4
  const refused = new Set<number>()
  for (let i = 0; i < count; i++, at += 6) {
    if (frame.readInt16BE(at + 4) !== 0) refused.add(frame.readInt32BE(at))
  }
  return refused
}

/** The first topic of a Fetch: its name, from version 13 on its id. */
export function readFetchTopic(frame: Buffer): string {
  if (frame.readInt16BE(2) >= 13) {
    const id = bodyAt(frame) + 1 + 25 + 1 // after the header's tags, the fixed fields and the number of topics
    return frame.toString('base64url', id, id + 16)
  }
  const at = bodyAt(frame) + 29
  return frame.toString('utf8', at + 2, at + 2 + frame.readInt16BE(at))
}
