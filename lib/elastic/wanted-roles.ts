/** What a plan wants of this instance, as the store takes it. Pure. */
import type { GroupView } from '../group-protocol/group-view.ts'
import type { RolePartitions, WantedRoles } from '../store-protocol/roles.ts'

/**
 * Returns the roles, the most urgent first: partitions without another primary, standbys that are missing, partitions whose
 * primary this instance is going to be. Partitions that the plan does not know keep their roles: its maker has not seen
 * yet that the topic has grown. The plan counts for a partition that is being promoted, too: it interrupts no promotion
 * that was reported, and none begins between a report and its plan (GroupNotice.isJoining).
 */
export function wantedRoles({ plan, memberId, generation }: GroupView, held: RolePartitions): WantedRoles {
  // Copies stay in memory: the next plan is one that can be read.
  if (plan.isUnread === true) return rolesOfRemoved(held)
  const own = plan.members.findIndex((member) => member.memberId === memberId)
  const primaries: number[] = []
  const standbys: number[] = []
  const next: number[] = []
  for (const [partition, { primary, copies, target }] of plan.routes.entries()) {
    if (own < 0) break
    if (primary === own) primaries.push(partition)
    else if (copies.includes(own)) (target === own ? next : standbys).push(partition)
  }
  const isUnknown = (partition: number) => own >= 0 && partition >= plan.routes.length
  const strange = [...plan.routes.keys()].filter((partition) => plan.routes[partition]!.hasStrangers)
  return {
    primaries: [...primaries, ...held.primaries.filter(isUnknown)],
    replicas: [...standbys, ...next, ...held.replicas.filter(isUnknown)],
    member: own < 0 ? null : { memberId, generation },
    strangers: { partitions: strange, isAlone: plan.members.length === 1 },
  }
}

/** Returns the roles after the coordinator has removed this instance: others may be primary, copies stay. */
export function rolesOfRemoved({ primaries, replicas }: RolePartitions): WantedRoles {
  return { primaries: [], replicas: [...primaries, ...replicas], member: null }
}

/**
 * Returns the roles after this instance has left the group. Others take what it was primary of; without any, it writes
 * and commits until it closes.
 *
 * @param wanted of the last plan
 */
export function rolesOfLeft(wanted: WantedRoles, view: GroupView | undefined, held: RolePartitions): WantedRoles {
  return isAlone(view) ? { ...wanted, member: null, isLast: true } : rolesOfRemoved(held)
}

/** Whether no other member of the group stays. */
export function isAlone(view: GroupView | undefined): boolean {
  return !view?.plan.members.some(({ memberId, isLeaving }) => memberId !== view.memberId && isLeaving !== true)
}

/**
 * Returns the roles while no plan can be read, as far as they are those of the last one: nothing becomes primary, and
 * commits fail, and are repeated as those of the next one.
 */
export function keptRoles(wanted: WantedRoles, { primaries: held }: RolePartitions): WantedRoles {
  const isHeld = (partition: number) => held.includes(partition)
  const waiting = wanted.primaries.filter((partition) => !isHeld(partition))
  return { ...wanted, primaries: wanted.primaries.filter(isHeld), replicas: [...waiting, ...wanted.replicas] }
}
