/** The operation that reads the group of a store. */
import { groupText } from '../../group-protocol/describe-group.ts'
import type { GroupMemberStatus, GroupStatus } from '../../group-protocol/group-status.ts'
import { json, operation, plainText } from './operation.ts'
import { problemsOf } from './problems.ts'
import { ref } from './schema.ts'

function memberOf(host: number, partitions: Pick<GroupMemberStatus, 'primaries' | 'standbys'>): GroupMemberStatus {
  return {
    memberId: `latchkey-orders-${host}`,
    id: `host-${host}`,
    url: `http://10.0.0.${host}:8080`,
    isSelf: host === 2,
    isReachable: true,
    ...partitions,
    filling: [],
    isLeaving: false,
  }
}

const members = [memberOf(2, { primaries: [0, 1], standbys: [2] }), memberOf(3, { primaries: [2], standbys: [0, 1] })]

const exampleGroup: GroupStatus = {
  name: 'orders',
  state: 'stable',
  generation: 7,
  memberId: members[0]!.memberId,
  isLeader: true,
  leaseMs: 5_800,
  protocol: 'latchkey-1',
  url: members[0]!.url,
  members,
  unassigned: [],
  excluded: [],
  differing: [],
  waitsFor: [],
}

const getGroup = () =>
  operation({
    id: 'getGroup',
    tag: 'operations',
    summary: 'The instances of the store, and who holds what; with ELASTIC=true only',
    answers: {
      200: {
        description: 'As the Accept header asks; text without one',
        content: {
          ...plainText({ text: groupText(exampleGroup) }),
          ...json(ref('GroupStatus'), { group: exampleGroup }),
        },
      },
    },
    problems: problemsOf.group,
  })

export function groupPaths(): Record<string, object> {
  return { '/group': { get: getGroup() } }
}
