/** Makes the status of the group from the present plan. */
import type { GroupMemberStatus, GroupState, GroupStatus } from '../group-protocol/group-status.ts'
import type { GroupView } from '../group-protocol/group-view.ts'
import type { FromGroupThread } from '../store-protocol/group-messages.ts'

export type PlanMessage = FromGroupThread & { type: 'plan' }
export type UnreadMessage = FromGroupThread & { type: 'unread' }

export interface ReachedState {
  isReachable: boolean | null
  reason?: string
}

export interface GroupFacts {
  name: string
  state: GroupState
  url: string
  /** Undefined before the first plan. */
  planned: PlanMessage | undefined
  /** Undefined if there is none. */
  trouble: string | undefined
  /** Other members, by member id. */
  reached: ReadonlyMap<string, ReachedState>
}

export function groupStatusOf({ name, state, url, planned, trouble, reached }: GroupFacts): GroupStatus {
  const { plan } = planned?.view ?? { plan: undefined }
  const routes = plan?.routes ?? []
  return {
    name,
    state,
    generation: planned?.view.generation ?? -1,
    memberId: planned?.view.memberId ?? '',
    isLeader: planned?.isLeader ?? false,
    leaseMs: 0,
    protocol: planned?.protocol ?? '',
    url,
    members: planned === undefined ? [] : membersOf(planned.view, reached),
    unassigned: routes.flatMap(({ primary }, partition) => (primary < 0 ? [partition] : [])),
    excluded: (plan?.excluded ?? []).map((one) => ({ ...one })),
    differing: [...(planned?.differing ?? [])],
    waitsFor: routes.flatMap(({ target }, partition) => {
      return target < 0 ? [] : [{ partition, memberId: plan!.members[target]!.memberId }]
    }),
    ...(planned && { figures: planned.figures }),
    ...(trouble !== undefined && { trouble }),
  }
}

function membersOf({ plan, memberId }: GroupView, reached: GroupFacts['reached']): GroupMemberStatus[] {
  const members = plan.members.map((member): GroupMemberStatus => {
    const isSelf = member.memberId === memberId
    return {
      memberId: member.memberId,
      id: member.id,
      url: member.url,
      isSelf,
      ...(isSelf ? { isReachable: true } : (reached.get(member.memberId) ?? { isReachable: null })),
      primaries: [],
      standbys: [],
      filling: [],
      isLeaving: member.isLeaving === true,
    }
  })
  for (const [partition, { primary, copies, target }] of plan.routes.entries()) {
    members[primary]?.primaries.push(partition)
    for (const copy of copies) members[copy]?.[copy === target ? 'filling' : 'standbys'].push(partition)
  }
  return members
}
