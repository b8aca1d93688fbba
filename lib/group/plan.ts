/** What a plan changes for one member: the copies to fill, to promote, to demote and to drop. Pure. */
import type { RejoinReason } from '../group-protocol/group-figures.ts'
import type { GroupPlan, Holding } from '../group-protocol/member.ts'

export interface PlanChanges {
  /** Partitions to take: as soon as they are ready for those that are held, after filling for the others. */
  promote: number[]
  /** To go on with as a copy. */
  demote: number[]
  /** To read from the changelog, the most urgent first: no primary; a missing standby; the next primary. */
  fill: number[]
  /** To forget, after those that were sent here meanwhile are answered. */
  drop: number[]
}

/**
 * Compares a plan with what a member holds. A member that the plan does not have keeps nothing.
 *
 * The plan counts, also for a partition that is being promoted: the assignor interrupts no promotion that it knows of. So
 * that it knows of all, a member begins none between its report and the plan that follows (Membership.state `joining`).
 */
export function changesOf(plan: GroupPlan, memberId: string, held: readonly Holding[]): PlanChanges {
  const own = plan.members.findIndex((member) => member.memberId === memberId)
  const byPartition = new Map(held.map((holding) => [holding.partition, holding]))
  const changes: PlanChanges = { promote: [], demote: [], fill: [], drop: [] }
  if (own < 0) {
    changes.demote = held.filter(isClaim).map(({ partition }) => partition)
    changes.drop = held.map(({ partition }) => partition)
    return changes
  }
  const urgent: number[] = []
  const missing: number[] = []
  const next: number[] = []
  for (const [partition, { primary, copies, target }] of plan.routes.entries()) {
    const holding = byPartition.get(partition)
    const isClaimed = holding !== undefined && isClaim(holding)
    if (primary === own) {
      if (holding === undefined) urgent.push(partition)
      if (!isClaimed) changes.promote.push(partition)
    } else if (copies.includes(own)) {
      if (holding === undefined) (target === own ? next : missing).push(partition)
      if (isClaimed) changes.demote.push(partition)
    } else if (holding !== undefined) {
      if (isClaimed) changes.demote.push(partition)
      changes.drop.push(partition)
    }
  }
  // Partitions that the plan does not know: its maker has not seen yet that the topic has grown, so they stay.
  changes.fill = [...urgent, ...missing, ...next]
  return changes
}

function isClaim({ isPrimary, isPromoting }: Holding): boolean {
  return isPrimary || isPromoting
}

/**
 * Why another plan would go further than the present one, because of what this member holds now; undefined if it would
 * not.
 * @param reported what the member had reported when the plan was made
 */
export function awaited(
  plan: GroupPlan,
  memberId: string,
  held: readonly Holding[],
  reported: readonly Holding[],
): RejoinReason | undefined {
  const own = plan.members.findIndex((member) => member.memberId === memberId)
  if (own < 0) return undefined
  // All members have to look for keys that are in another partition than the partitioner says.
  const isStrange = ({ partition, hasStrangers }: Holding) =>
    hasStrangers && plan.routes[partition]?.hasStrangers === false
  if (held.some(isStrange)) return 'strangers'
  const isDue = ({ partition, isReady, isPromoting, isComplete }: Holding) => {
    const route = plan.routes[partition]
    if (route === undefined || !isReady) return false
    if (route.target === own || (route.primary === own && isComplete && !route.isComplete)) return true
    const before = reported.find((one) => one.partition === partition)
    // A primary that is promoted keeps the partition meanwhile, also if another member shall have it.
    if (route.target >= 0 && before?.isPromoting === true && !isPromoting) return true
    return route.isRetaining && before?.isReady !== true
  }
  return held.some(isDue) ? 'ready' : undefined
}

/** Whether a member that leaves has no primaries any more, or all others leave, too: then no other one will take them. */
export function hasHandedOver(plan: GroupPlan | undefined, memberId: string, held: readonly Holding[]): boolean {
  const others = plan?.members.filter((member) => member.memberId !== memberId) ?? []
  return others.every(({ isLeaving }) => isLeaving) || !held.some(isClaim)
}
