/**
 * The coordinator keeps all data of a generation, of all members, in and out, as one record of its offsets topic. If
 * that is too large, SyncGroup fails with UNKNOWN_SERVER_ERROR and no member gets a plan. Measured on Kafka 4.1: 960 kB
 * went, 1,200 kB did not.
 */
import type { JoinedMember } from '../kafka/group-requests.ts'

/** Beyond it, plans leave out what only others need. */
export const budgetBytes = 512 * 1024
/** Beyond it, the newest members get nothing. */
export const limitBytes = 900 * 1024
/** Per member, beside its id and data: client id, host, lengths. */
const overheadBytes = 256

/** Estimates the size of the record. */
export function recordBytes(members: readonly JoinedMember[], assignments: ReadonlyMap<string, Buffer>): number {
  return members.reduce((sum, { memberId, metadata }) => {
    const assigned = assignments.get(memberId)?.length ?? 0
    return sum + overheadBytes + Buffer.byteLength(memberId) + metadata.length + assigned
  }, 0)
}
