/** Plans of a group as an instance gets them. */
import type { PlanMessage } from '../../../lib/elastic/group-status-of.ts'
import type { GroupFigures } from '../../../lib/group-protocol/group-figures.ts'
import type { GroupPlan, Route } from '../../../lib/group-protocol/member.ts'

/** @param routes of two members, `member-0` and `member-1` */
export function planOf(routes: readonly Partial<Route>[], more: Partial<GroupPlan> = {}): GroupPlan {
  const members = [0, 1].map((n) => ({ memberId: `member-${n}`, id: `instance-${n}`, url: `http://10.0.0.${n}:80` }))
  const flags = { isComplete: false, hasStrangers: false, isRetaining: false, isStalled: false }
  const none = { primary: -1, copies: [], target: -1, ...flags }
  return { members, routes: routes.map((route) => ({ ...none, ...route })), excluded: [], ...more }
}

export function planned(plan: GroupPlan, memberId = 'member-0', more: Partial<PlanMessage> = {}): PlanMessage {
  const figures = { rebalances: {}, moves: 0 } as unknown as GroupFigures
  const view = { plan, memberId, generation: 7 }
  return { type: 'plan', view, isLeader: false, protocol: 'latchkey-1', differing: [], figures, ...more }
}
