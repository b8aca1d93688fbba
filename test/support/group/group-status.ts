/** What an instance says of a group that is at rest. */
import type { GroupMemberStatus, GroupStatus } from '../../../lib/group-protocol/group-status.ts'

interface GroupChanges extends Partial<Omit<GroupStatus, 'members'>> {
  members?: readonly Partial<GroupMemberStatus>[]
}

/** Of two members, of which this instance is the first, unless `changes` has others. */
export function groupOf({ members, ...changes }: GroupChanges = {}): GroupStatus {
  const two = [
    { isSelf: true, primaries: [0, 1], standbys: [2, 3] },
    { primaries: [2, 3], standbys: [0, 1] },
  ]
  return {
    name: 'orders',
    state: 'stable',
    generation: 7,
    memberId: 'member-0',
    isLeader: true,
    leaseMs: 5_800,
    protocol: 'latchkey-1',
    url: 'http://10.0.0.2:8080',
    members: (members ?? two).map((member, index) => ({
      memberId: `member-${index}`,
      id: `instance-${index}`,
      url: `http://10.0.0.${index + 2}:8080`,
      isSelf: false,
      isReachable: true,
      primaries: [],
      standbys: [],
      filling: [],
      isLeaving: false,
      ...member,
    })),
    unassigned: [],
    excluded: [],
    differing: [],
    waitsFor: [],
    ...changes,
  }
}
