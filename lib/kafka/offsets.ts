/**
 * Looks up where partitions begin and end, and reads and commits offsets of a group. The group has members only where
 * it assigns the partitions.
 */
import { LatchkeyError } from '../errors.ts'
import type { Isolation } from '../store-protocol/client-config.ts'
import type { KafkaClient } from './client.ts'
import { leaderless } from './leaderless.ts'
import { brokerError, errorAction, groupAuthorizationFailed, unknownMember } from './protocol/error-codes.ts'
import { checkedOffset, malformed, reading } from './protocol/response-cursor.ts'

export type OffsetSpec = 'earliest' | 'latest'

interface ListOffsetsResponse {
  responses: { partitions: { partition: number; errorCode: number; offset: string }[] }[]
}

/**
 * Returns log start offsets, or ends: the last stable offset for read_committed, the high watermark for
 * read_uncommitted. Rejects with a retriable error while a partition has no leader. The caller repeats.
 */
export async function listOffsets(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
  isolation: Isolation = client.isolation,
): Promise<Map<number, number>> {
  const byNode = await client.leaders(topic, partitions)
  const offsets = new Map<number, number>()
  const asked = [...byNode].map(([node, led]) => offsetsAt(client, node, topic, led, spec, isolation))
  for (const { partition, errorCode, offset } of (await Promise.all(asked)).flat()) {
    if (errorCode !== 0) throw offsetError(spec, topic, [partition], errorCode)
    offsets.set(partition, offset)
  }
  const missing = partitions.filter((partition) => !offsets.has(partition))
  if (missing.length > 0) throw leaderless(client, lookingUp(spec, topic, missing[0]!), topic, missing)
  return offsets
}

function offsetError(spec: OffsetSpec, topic: string, partitions: readonly number[], errorCode: number): LatchkeyError {
  return brokerError(lookingUp(spec, topic, partitions[0]!), errorCode, undefined, partitions)
}

function lookingUp(spec: OffsetSpec, topic: string, partition: number): string {
  return `Looking up the ${spec} offset of ${topic} partition ${partition}`
}

export interface FoundOffset {
  partition: number
  errorCode: number
  offset: number
}

/** Returns offsets from one broker for partitions that it leads. Forgets the leader of a partition with an error. */
export async function offsetsAt(
  client: KafkaClient,
  node: number,
  topic: string,
  partitions: readonly number[],
  spec: OffsetSpec,
  isolation: Isolation = client.isolation,
): Promise<FoundOffset[]> {
  const timestamp = spec === 'earliest' ? '-2' : '-1'
  const response = (await client.call(node, 'ListOffsets', 3, {
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
    topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
  })) as ListOffsetsResponse
  return reading('ListOffsets', () =>
    response.responses.flatMap(({ partitions: found }) =>
      found.map(({ partition, errorCode, offset }) => {
        if (errorCode !== 0) client.forgetLeader(topic, partition)
        return { partition, errorCode, offset: checkedOffset(offset, 'ListOffsets') }
      }),
    ),
  )
}

export interface CommittedOffset {
  /** Next offset to consume. */
  offset: number
  /** Metadata committed with the offset. */
  metadata: string
}

interface OffsetFetchResponse {
  errorCode: number
  responses: {
    topic: string
    partitions: { partition: number; offset: string; metadata: string | null; errorCode: number }[]
  }[]
}

/** Returns the committed offsets of a group. Partitions without a commit are absent. */
export async function fetchCommitted(
  client: KafkaClient,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, CommittedOffset>> {
  const attempted = `Reading the committed offsets of group ${group}`
  const coordinator = await client.coordinator('group', group)
  const topics = [{ topic, partitions: partitions.map((partition) => ({ partition })) }]
  const response = (await client.call(coordinator, 'OffsetFetch', 4, { groupId: group, topics })) as OffsetFetchResponse
  failOnCoordinatorError(client, group, attempted, response.errorCode)
  const committed = new Map<number, CommittedOffset>()
  reading('OffsetFetch', () => {
    for (const { partition, offset: text, metadata, errorCode } of response.responses.flatMap(
      (one) => one.partitions,
    )) {
      failOnCoordinatorError(client, group, `${attempted} for ${topic} partition ${partition}`, errorCode)
      const offset = checkedOffset(text, 'OffsetFetch')
      if (offset >= 0) committed.set(partition, { offset, metadata: metadata ?? '' })
    }
  })
  return committed
}

/** Returns the topics for which a group has committed offsets. */
export async function committedTopics(client: KafkaClient, group: string): Promise<string[]> {
  const attempted = `Reading the committed offsets of group ${group}`
  const coordinator = await client.coordinator('group', group)
  // kafkajs writes an empty list as null, which asks for all topics.
  const args = { groupId: group, topics: [] }
  const response = (await client.call(coordinator, 'OffsetFetch', 4, args)) as OffsetFetchResponse
  failOnCoordinatorError(client, group, attempted, response.errorCode)
  return reading('OffsetFetch', () => response.responses.map(({ topic }) => topic))
}

interface OffsetCommitResponse {
  responses: { topic: string; partitions: { partition: number; errorCode: number }[] }[]
}

export interface TopicOffsets {
  topic: string
  offsets: ReadonlyMap<number, CommittedOffset>
}

export interface CommittingMember {
  memberId: string
  generation: number
}

/** Commits like a consumer that assigns its partitions itself. The coordinator refuses it while the group has members. */
const withoutMembership: CommittingMember = { memberId: '', generation: -1 }

const members = new WeakMap<KafkaClient, CommittingMember>()

/** Commits of a client are those of a member from now on. @param member undefined while the group does not have it */
export function setCommittingMember(client: KafkaClient, member: CommittingMember | undefined): void {
  members.set(client, member ?? { ...withoutMembership })
}

/**
 * Commits offsets.
 * @param further offsets of another topic to send in the same request; an error of these is ignored
 * @param committer member that commits: the coordinator refuses a member that it has removed, and former generations
 */
export async function commitOffsets(
  client: KafkaClient,
  group: string,
  topic: string,
  offsets: ReadonlyMap<number, CommittedOffset>,
  further?: TopicOffsets,
  committer: CommittingMember = members.get(client) ?? withoutMembership,
): Promise<void> {
  const coordinator = await client.coordinator('group', group)
  const topics = [{ topic, offsets }, ...(further && further.offsets.size > 0 ? [further] : [])].map((one) => {
    const partitions = [...one.offsets].map(([partition, { offset, metadata }]) => {
      return { partition, offset: String(offset), metadata }
    })
    return { topic: one.topic, partitions }
  })
  const args = { groupId: group, groupGenerationId: committer.generation, memberId: committer.memberId, topics }
  const response = (await client.call(coordinator, 'OffsetCommit', 5, args)) as OffsetCommitResponse
  reading('OffsetCommit', () => {
    const answered = response.responses.find((one) => one.topic === topic)
    if (answered?.partitions.length !== offsets.size) throw malformed('OffsetCommit', 'not all partitions are in it')
    for (const { partition, errorCode } of answered.partitions) {
      const attempted = `Committing ${topic} partition ${partition} for group ${group}`
      failOnCoordinatorError(client, group, attempted, errorCode, committer !== withoutMembership)
    }
  })
}

function failOnCoordinatorError(
  client: KafkaClient,
  group: string,
  attempted: string,
  errorCode: number,
  isMember = false,
): void {
  if (errorCode === 0) return
  const action = errorAction(errorCode)
  if (action === 'refresh') client.forgetCoordinator('group', group)
  const error = brokerError(attempted, errorCode, adviceFor(group, errorCode, isMember))
  // The next plan brings another identity.
  if (!isMember || action !== 'rejoin') throw error
  throw new LatchkeyError('broker_error', error.message, { details: error.details })
}

function adviceFor(group: string, errorCode: number, isMember: boolean): string | undefined {
  if (errorCode === groupAuthorizationFailed) return `allow this user to READ group ${group}`
  if (errorCode === unknownMember && !isMember) {
    return `another consumer is a member of group ${group}: choose another STORE_ID or end that consumer`
  }
  return undefined
}
