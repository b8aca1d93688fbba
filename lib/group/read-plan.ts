/** Reads what the leader has assigned to this member. */
import type { GroupPlan } from '../group-protocol/member.ts'
import { assignmentData } from './consumer-protocol.ts'
import { decodePlan, exclusion, type PlanContext, shownMemberId } from './member-data.ts'

export interface OwnPlace {
  memberId: string
  url: string
}

/**
 * Returns the plan. One that cannot be read says that this instance does not fit into its group: it has another token
 * than the leader.
 */
export function readPlan(context: PlanContext, token: string | undefined, own: OwnPlace, bytes: Buffer): GroupPlan {
  const data = assignmentData(bytes)
  const { value, reason } = decodePlan(context, token, data)
  // It has no signature.
  if (value !== undefined) return data.length === 0 ? { ...value, isUnread: true } : value
  const found = `the plan of group ${context.group} is ${reason}`
  return { ...exclusion({ ...own, reason: found }), isUnread: true }
}

/** Returns why a member gets nothing; undefined if it may get something. */
export function excludedReason({ excluded }: GroupPlan, memberId: string): string | undefined {
  // Without an id, of a member for which the leader had no room.
  return excluded.find((one) => one.memberId === shownMemberId(memberId) || one.memberId === '')?.reason
}
