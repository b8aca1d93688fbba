/** What a plan means for a member beside what it holds: whether another plan is wanted, and whether it may leave. Pure. */
import type { RejoinReason } from '../group-protocol/group-figures.ts'
import type { GroupPlan, Holding, Route } from '../group-protocol/member.ts'

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
  const isDue = ({ partition, isReady, isPromoting, isComplete, isStalled }: Holding) => {
    const route = plan.routes[partition]
    if (route === undefined || !isReady) return false
    // Members wait for a partition to be complete, or for word that it is not going to be.
    const isNews = !route.isComplete && (isComplete || (isStalled && !route.isStalled))
    if (route.target === own || (route.primary === own && isNews)) return true
    // At rest, no route has either: nothing is searched for in each look.
    if (route.target < 0 && !route.isRetaining) return false
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

function isClaim({ isPrimary, isPromoting }: Holding): boolean {
  return isPrimary || isPromoting
}

/** Whether this plan is a step to another one, which follows as soon as a member has done a part of it. */
export function isStep({ members, routes }: GroupPlan): boolean {
  return members.some(({ isLeaving }) => isLeaving) || routes.some(isOpen)
}

function isOpen({ primary, target, isRetaining }: Route): boolean {
  return primary < 0 || target >= 0 || isRetaining
}
