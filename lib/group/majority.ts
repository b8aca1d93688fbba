/** Which of the members count where they contradict each other. */
import type { GroupMember } from '../group-protocol/member.ts'

/** Returns the largest side; at a tie the one with the member that started first. */
export function majorityOf(members: readonly GroupMember[], sideOf: (member: GroupMember) => unknown): GroupMember[] {
  const sides = Map.groupBy(members, sideOf)
  const [first = []] = [...sides.values()].toSorted((one, other) => {
    return other.length - one.length || oldestOf(one) - oldestOf(other) || (idOf(one) < idOf(other) ? -1 : 1)
  })
  return first
}

function oldestOf(members: readonly GroupMember[]): number {
  return members.reduce((oldest, { startedAtMs }) => Math.min(oldest, startedAtMs), Number.POSITIVE_INFINITY)
}

/** Only so that the order of members decides nothing. */
function idOf(members: readonly GroupMember[]): string {
  return members.map(({ id }) => id).toSorted()[0] ?? ''
}
