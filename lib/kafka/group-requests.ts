/**
 * Requests of a group's member: JoinGroup v5, SyncGroup v3, Heartbeat v3, LeaveGroup v3, the classic protocol of
 * consumers. What members and their leader say is opaque here. Each function sends one request, and rejects with the
 * broker's error code in `details`; the caller decides what follows (../group/membership.ts).
 */
import type { KafkaClient } from './client.ts'
import {
  brokerError,
  errorAction,
  groupAuthorizationFailed,
  inconsistentGroupProtocol,
  memberIdRequired,
} from './protocol/error-codes.ts'
import { malformed, reading } from './protocol/response-cursor.ts'

/**
 * The broker answers the requests of a connection one after another, and JoinGroup and SyncGroup wait for other
 * members. Heartbeats must not wait behind them: lane 0 is for these.
 */
const waitingLane = 1
/** Type by which Kafka's tools know the members of a group as consumers. */
export const protocolType = 'consumer'

export interface GroupProtocol {
  name: string
  metadata: Buffer
}

export interface JoinRequest {
  group: string
  /** Empty before the coordinator has assigned one. */
  memberId: string
  /** The coordinator chooses the first one that every member has. */
  protocols: readonly GroupProtocol[]
  sessionTimeoutMs: number
  /** How long the coordinator waits for members that do not join. */
  rebalanceTimeoutMs: number
}

export interface JoinedMember {
  memberId: string
  metadata: Buffer
}

export interface JoinResult {
  generation: number
  memberId: string
  leaderId: string
  protocol: string
  /** Empty unless this member is the leader. */
  members: JoinedMember[]
}

interface JoinGroupResponse {
  errorCode: number
  generationId: number
  groupProtocol: string
  leaderId: string
  memberId: string
  members: { memberId: string; memberMetadata: Buffer | null }[]
}

/** Identity of a member in one generation. */
export interface GroupIdentity {
  group: string
  memberId: string
  generation: number
}

/**
 * Joins a group, and resolves once all its members have.
 * @param identified called with the id that the coordinator assigns, before anything else is sent under it
 */
export async function joinGroup(
  client: KafkaClient,
  request: JoinRequest,
  identified: (memberId: string) => void,
): Promise<JoinResult> {
  const { group, memberId, protocols, sessionTimeoutMs, rebalanceTimeoutMs } = request
  const coordinator = await client.coordinator('group', group)
  const args = {
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    memberId,
    protocolType,
    groupProtocols: protocols,
  }
  const purpose = { lane: waitingLane, waitMs: rebalanceTimeoutMs }
  const response = (await client.call(coordinator, 'JoinGroup', 5, args, purpose)) as JoinGroupResponse
  if (response.errorCode === memberIdRequired && memberId === '') {
    identified(response.memberId)
    return joinGroup(client, { ...request, memberId: response.memberId }, identified)
  }
  failOnError(client, group, `Joining group ${group}`, response.errorCode)
  identified(response.memberId)
  return reading('JoinGroup', () => ({
    generation: response.generationId,
    memberId: response.memberId,
    leaderId: response.leaderId,
    protocol: response.groupProtocol,
    members: response.members.map((one) => ({ memberId: one.memberId, metadata: one.memberMetadata ?? empty })),
  }))
}

const empty = Buffer.alloc(0)

interface SyncGroupResponse {
  errorCode: number
  memberAssignment: Buffer | null
}

/**
 * Resolves with what the leader assigned to this member, once the leader has sent it.
 * @param assignments by member id, from the leader; empty from other members
 */
export async function syncGroup(
  client: KafkaClient,
  { group, memberId, generation }: GroupIdentity,
  assignments: ReadonlyMap<string, Buffer>,
  waitMs: number,
): Promise<Buffer> {
  const coordinator = await client.coordinator('group', group)
  const groupAssignment = [...assignments].map(([member, memberAssignment]) => ({ memberId: member, memberAssignment }))
  const args = { groupId: group, generationId: generation, memberId, groupAssignment }
  const purpose = { lane: waitingLane, waitMs }
  const response = (await client.call(coordinator, 'SyncGroup', 3, args, purpose)) as SyncGroupResponse
  failOnError(client, group, `Getting the assignment of group ${group}`, response.errorCode)
  return response.memberAssignment ?? empty
}

/** Proves to the coordinator that the member lives. Both 0 and REBALANCE_IN_PROGRESS prove membership to the caller. */
export async function heartbeat(client: KafkaClient, { group, memberId, generation }: GroupIdentity): Promise<void> {
  const coordinator = await client.coordinator('group', group)
  const args = { groupId: group, groupGenerationId: generation, memberId, groupInstanceId: null }
  const { errorCode } = (await client.call(coordinator, 'Heartbeat', 3, args)) as { errorCode: number }
  failOnError(client, group, `Heartbeat in group ${group}`, errorCode)
}

interface LeaveGroupResponse {
  errorCode: number
  members: { errorCode: number }[]
}

/** Removes a member from the group: this one, or another one that is known to be dead. */
export async function leaveGroup(client: KafkaClient, group: string, memberId: string): Promise<void> {
  const coordinator = await client.coordinator('group', group)
  const args = { groupId: group, memberId, groupInstanceId: null }
  const response = (await client.call(coordinator, 'LeaveGroup', 3, args)) as LeaveGroupResponse
  const attempted = `Removing member ${memberId} from group ${group}`
  failOnError(client, group, attempted, response.errorCode)
  const [member] = response.members
  if (member === undefined) throw malformed('LeaveGroup', 'the member is not in it')
  failOnError(client, group, attempted, member.errorCode)
}

function failOnError(client: KafkaClient, group: string, attempted: string, errorCode: number): void {
  if (errorCode === 0) return
  if (errorAction(errorCode) === 'refresh') client.forgetCoordinator('group', group)
  throw brokerError(attempted, errorCode, adviceFor(group, errorCode))
}

function adviceFor(group: string, errorCode: number): string | undefined {
  if (errorCode === groupAuthorizationFailed) return `allow this user to READ group ${group}`
  if (errorCode === inconsistentGroupProtocol) {
    return `the members of group ${group} are other consumers or other versions: end them, or choose another STORE_ID`
  }
  return undefined
}
