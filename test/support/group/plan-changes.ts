/** What a plan changes for a member, as steps for a model that has no store: the roles that it wants beside what is held. */
import { wantedRoles } from '../../../lib/elastic/wanted-roles.ts'
import type { GroupPlan, Holding } from '../../../lib/group-protocol/member.ts'

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

export function changesOf(plan: GroupPlan, memberId: string, held: readonly Holding[]): PlanChanges {
  const claimed = held.flatMap((one) => (one.isPrimary || one.isPromoting ? [one.partition] : []))
  const all = held.map(({ partition }) => partition)
  const present = { primaries: claimed, replicas: all.filter((partition) => !claimed.includes(partition)) }
  const { primaries, replicas } = wantedRoles({ plan, memberId, generation: 0 }, present)
  const wanted = [...primaries, ...replicas]
  return {
    promote: primaries.filter((partition) => !claimed.includes(partition)),
    demote: claimed.filter((partition) => !primaries.includes(partition)),
    fill: wanted.filter((partition) => !all.includes(partition)),
    drop: all.filter((partition) => !wanted.includes(partition)),
  }
}
