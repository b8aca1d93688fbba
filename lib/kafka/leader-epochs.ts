/**
 * Finds where a leader epoch ends in a partition's log, by OffsetForLeaderEpoch version 3. A log in which an epoch ends
 * earlier than was read or written has lost the records after that end (KIP-320).
 * https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch
 */
import type { KafkaClient } from './client.ts'
import { Encoder, type RawRequest } from './connection/raw-request.ts'
import type { EpochEnd, EpochTrail } from './epoch-trail.ts'
import { apiKeys } from './protocol/api-keys.ts'
import { brokerError, errorAction, leaderNotAvailable } from './protocol/error-codes.ts'
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
  if (node === undefined) throw brokerError(attempted, leaderNotAvailable, undefined, [partition])
  const request = endOfEpochRequest(topic, partition, epoch, client.topics.leaderEpoch(topic, partition))
  const { errorCode, ...end } = parseEndOfEpoch(await client.send(node, request, client.requestTimeoutMs))
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

function endOfEpochRequest(topic: string, partition: number, epoch: number, current: number): RawRequest {
  return {
    apiKey: apiKeys.OffsetForLeaderEpoch,
    apiVersion: 3,
    apiName: 'OffsetForLeaderEpoch',
    encode: () =>
      new Encoder(64 + topic.length * 3)
        .writeInt32(consumer)
        .writeInt32(1)
        .writeString(topic)
        .writeInt32(1)
        .writeInt32(partition)
        .writeInt32(current)
        .writeInt32(epoch),
  }
}

function parseEndOfEpoch(buffer: Buffer): EpochEnd & { errorCode: number } {
  return reading('OffsetForLeaderEpoch', () => {
    const response = new ResponseCursor(buffer, 'OffsetForLeaderEpoch')
    response.skip(4) // throttle time
    const ends = response.array(() => {
      response.string()
      return response.array(() => {
        const errorCode = response.int16()
        response.skip(4) // partition
        return { errorCode, epoch: response.int32(), endOffset: response.offset() }
      })
    })
    const end = ends[0]?.[0]
    return end ?? { errorCode: -1, epoch: -1, endOffset: -1 }
  })
}
