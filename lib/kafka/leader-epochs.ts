/**
 * Finds where a leader epoch ends in a partition's log, by OffsetForLeaderEpoch version 3. A log in which an epoch ends
 * earlier than was read or written has lost the records after that end (KIP-320).
 * https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch
 */
import type { KafkaClient } from './client.ts'
import { Encoder, type RawRequest } from './connection/raw-request.ts'
import type { EpochEnd, EpochTrail } from './epoch-trail.ts'
import { joined } from './joined.ts'
import { leaderless } from './leaderless.ts'
import { apiKeys } from './protocol/api-keys.ts'
import { brokerError, errorAction } from './protocol/error-codes.ts'
import { reading, ResponseCursor } from './protocol/response-cursor.ts'

/**
 * Returns where an epoch ends in the log of the present leader; undefined if the broker does not know. Rejects with a
 * retriable error while our leader, or its epoch, is out of date. The caller repeats.
 */
export async function endOfLeaderEpoch(
  client: KafkaClient,
  topic: string,
  partition: number,
  epoch: number,
): Promise<EpochEnd | undefined> {
  const attempted = `Asking where leader epoch ${epoch} of ${topic} partition ${partition} ends`
  await client.leaders(topic, [partition])
  const node = client.leader(topic, partition)
  if (node === undefined) throw leaderless(client, attempted, topic, [partition])
  const asked = { partition, epoch, current: client.topics.leaderEpoch(topic, partition) }
  const kind = `leader epochs of ${topic} at ${node}`
  const { errorCode, ...end } = await joined(client, kind, asked, async (all) => {
    const request = endOfEpochRequest(topic, all)
    const ends = parseEndOfEpoch(await client.send(node, request, client.requestTimeoutMs))
    return all.map((one) => ends.get(one.partition)?.shift() ?? unanswered)
  })
  if (errorCode !== 0) {
    if (errorAction(errorCode) === 'refresh') client.forgetLeader(topic, partition)
    throw brokerError(attempted, errorCode, undefined, [partition])
  }
  return end.epoch < 0 || end.endOffset < 0 ? undefined : end
}

/**
 * Returns the offset from which the log differs from what was read of it; undefined if it does not differ, or the
 * broker does not know. Rejects as endOfLeaderEpoch() does.
 * @param asked the latest epoch of the trail to check
 * @param position returns the offset up to which records were read when the broker answers
 */
export async function divergenceOf(
  client: KafkaClient,
  topic: string,
  partition: number,
  trail: EpochTrail,
  asked: number | undefined,
  position: () => number,
): Promise<number | undefined> {
  let found: number | undefined
  // Each round asks for a lower epoch of the trail, which holds few.
  for (let epoch: number | undefined = asked; epoch !== undefined;) {
    const end: EpochEnd | undefined = await endOfLeaderEpoch(client, topic, partition, epoch)
    if (end === undefined) break
    const divergedAt = trail.divergedAt(epoch, end, position())
    if (divergedAt !== undefined) found = Math.min(divergedAt, found ?? divergedAt)
    epoch = end.epoch < epoch ? trail.upTo(end.epoch) : undefined
  }
  return found
}

/**
 * Returns the leader epoch of a partition, after its leader has confirmed it. Returns undefined if our epoch is out of
 * date, or if the log ends before `reached`.
 */
export async function confirmedLeaderEpoch(
  client: KafkaClient,
  topic: string,
  partition: number,
  reached = 0,
): Promise<number | undefined> {
  await client.leaders(topic, [partition])
  const epoch = client.topics.leaderEpoch(topic, partition)
  if (epoch < 0) return undefined
  const end = await endOfLeaderEpoch(client, topic, partition, epoch)
  return end?.epoch === epoch && end.endOffset >= reached ? epoch : undefined
}

const consumer = -1

interface AskedEpoch {
  partition: number
  epoch: number
  /** The partition's present leader epoch, as we know it. */
  current: number
}

interface AnsweredEpoch extends EpochEnd {
  errorCode: number
}

/** Of a partition that the response lacks: UNKNOWN_SERVER_ERROR. */
const unanswered: AnsweredEpoch = { errorCode: -1, epoch: -1, endOffset: -1 }

function endOfEpochRequest(topic: string, asked: readonly AskedEpoch[]): RawRequest {
  return {
    apiKey: apiKeys.OffsetForLeaderEpoch,
    apiVersion: 3,
    apiName: 'OffsetForLeaderEpoch',
    encode() {
      const encoder = new Encoder(64 + topic.length * 3 + asked.length * 12)
      encoder.writeInt32(consumer).writeInt32(1).writeString(topic).writeInt32(asked.length)
      for (const { partition, epoch, current } of asked) {
        encoder.writeInt32(partition).writeInt32(current).writeInt32(epoch)
      }
      return encoder
    },
  }
}

/** @returns by partition the ends of the epochs that were asked for, in that order */
function parseEndOfEpoch(buffer: Buffer): Map<number, AnsweredEpoch[]> {
  return reading('OffsetForLeaderEpoch', () => {
    const response = new ResponseCursor(buffer, 'OffsetForLeaderEpoch')
    response.skip(4) // throttle time
    const ends = new Map<number, AnsweredEpoch[]>()
    response.array(() => {
      response.string()
      response.array(() => {
        const errorCode = response.int16()
        const partition = response.int32()
        const end = { errorCode, epoch: response.int32(), endOffset: response.offset() }
        ends.set(partition, [...(ends.get(partition) ?? []), end])
      })
    })
    return ends
  })
}
