/** Schemas of what an instance knows of its group. Their members are those of the types in group-protocol/group-status.ts. */
import { type GroupFigures, type RebalanceReason, rebalanceReasons } from '../../group-protocol/group-figures.ts'
import { type GroupMemberStatus, groupStates, type GroupStatus } from '../../group-protocol/group-status.ts'
import { count, described, enumOf, flag, listOf, number, objectOf, orNull, ref, type Schema, text } from './schema.ts'

const figures = () =>
  described(
    'Counted since the start',
    objectOf<GroupFigures>({
      rebalances: described(
        'Plans that this instance has got, by reason',
        objectOf<GroupFigures['rebalances']>(
          Object.fromEntries(rebalanceReasons.map((reason) => [reason, count])) as Record<RebalanceReason, Schema>,
        ),
      ),
      moves: described('Partitions that it has got as primary from another instance', count),
    }),
  )

export function groupSchemas(): Readonly<Record<string, Schema>> {
  return {
    GroupMember: objectOf<GroupMemberStatus>(
      {
        memberId: described('As Kafka knows it', text),
        id: described('New at each start of the instance', text),
        url: text,
        isSelf: flag,
        isReachable: described('null if it is not known yet', orNull(flag)),
        reason: described('Why it is not reachable', text),
        primaries: listOf(count),
        standbys: listOf(count),
        filling: described('Partitions that it reads in order to be their primary', listOf(count)),
        isLeaving: flag,
      },
      'reason',
    ),
    GroupStatus: objectOf<GroupStatus>(
      {
        name: text,
        state: enumOf(groupStates),
        generation: described('-1 before the first plan', number),
        memberId: text,
        isLeader: flag,
        leaseMs: described('Time for which no other instance can have taken its partitions', number),
        protocol: text,
        url: described('Where others reach this instance', text),
        members: listOf(ref('GroupMember')),
        unassigned: described('Partitions that no member holds', listOf(count)),
        excluded: listOf(objectOf<GroupStatus['excluded'][number]>({ memberId: text, url: text, reason: text })),
        differing: described('Settings that differ between members, if this instance is the leader', listOf(text)),
        waitsFor: listOf(objectOf<GroupStatus['waitsFor'][number]>({ partition: count, memberId: text })),
        figures: figures(),
        trouble: described('Why no plan comes', text),
      },
      'figures',
      'trouble',
    ),
  }
}
