/** What an instance counts of its group, for its metrics. Plain data. */

/**
 * Why there was another plan, as far as this instance knows.
 * - `joined`: it was new. `removed`: the coordinator had removed it, or it had left so that another one leads.
 * - `other`: another instance asked, joined, left or was removed.
 * - The others are its own wishes: a copy has become ready, it leaves, it lost a partition to another instance, the
 *   number of partitions changed, the others reach it or do not any more, partitions without any copy are due, it
 *   found keys that the partitioner puts elsewhere, SERVER_TOKEN was replaced, it has no room for a partition or has it
 *   again.
 */
export const rebalanceReasons = [
  'joined',
  'removed',
  'other',
  'ready',
  'leaving',
  'lost',
  'partitions',
  'reachable',
  'settled',
  'strangers',
  'token',
  'room',
] as const
export type RebalanceReason = (typeof rebalanceReasons)[number]
/** What a member asks another plan for. */
export type RejoinReason = Exclude<RebalanceReason, 'joined' | 'removed' | 'other'>

export interface GroupFigures {
  /** Plans that this instance has got, by reason. */
  rebalances: Record<RebalanceReason, number>
  /** Partitions that it has got as primary from another instance. The sum over all instances is that of the group. */
  moves: number
}
