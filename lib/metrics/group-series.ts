/** The series of a group of instances, as one of them sees it. They are there without a group, too, at 0. */
import { rebalanceReasons } from '../group-protocol/group-figures.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { StoreStatus } from '../store-protocol/status.ts'
import { type ForwardResult, forwardResults } from './forward-stats.ts'
import type { LookupStats } from './lookup-stats.ts'
import type { SeriesRegistry } from './series.ts'

const copyStates = ['primary', 'standby', 'filling'] as const

export function registerGroup(
  series: SeriesRegistry,
  lookups: LookupStats,
  readStats: () => StatsView,
  read: () => StoreStatus,
): void {
  const group = () => read().group
  series.gauge('group_members', 'Instances in the plan of the group; 0 without one', () => {
    return group()?.members.length ?? 0
  })
  series.gauge('group_excluded_members', 'Instances that get nothing, such as for a setting that differs', () => {
    return group()?.excluded.length ?? 0
  })
  series.gauge('group_unassigned_partitions', 'Partitions of which no instance is primary', () => {
    return group()?.unassigned.length ?? 0
  })
  series.gauge('group_generation', 'Generation of the plan; 0 before the first', () => {
    return Math.max(0, group()?.generation ?? 0)
  })
  series.gauge(
    'group_lease_seconds',
    'Time for which no other instance can have taken what this one has; 0 without a lease',
    () => (group()?.leaseMs ?? 0) / 1000,
  )
  series.counter('group_rebalances_total', 'Plans of the group that this instance has got, by reason', () => {
    const rebalances = group()?.figures?.rebalances
    return rebalanceReasons.map((reason) => ({ labels: { reason }, value: rebalances?.[reason] ?? 0 }))
  })
  series.counter('group_moves_total', 'Partitions that this instance has got as primary from another one', () => {
    return group()?.figures?.moves ?? 0
  })
  series.gauge('peer_up', '1 if this instance reaches the other one, else 0; the label is its URL', () => {
    const known = (group()?.members ?? []).filter(({ isSelf, isReachable }) => !isSelf && isReachable !== null)
    // Two members may report one URL, until one of them is excluded.
    const byUrl = new Map(known.map(({ url, isReachable }) => [url, isReachable === true]))
    return [...byUrl].map(([peer, isUp]) => ({ labels: { peer }, value: isUp ? 1 : 0 }))
  })
  series.gauge('partition_copies', 'Partitions in the memory of this instance, by state', () => {
    const { details } = read()
    const states = details.map(({ role, state }) => {
      if (role === 'primary') return 'primary'
      return state === 'starting' || state === 'recovering' ? 'filling' : 'standby'
    })
    return copyStates.map((state) => {
      return { labels: { state }, value: states.filter((candidate) => candidate === state).length }
    })
  })
  series.gauge('misplaced_keys', 'Partitions here with keys that PARTITIONER puts elsewhere; 0 without a group', () => {
    const stats = readStats()
    return stats.partitions.filter((partition) => stats.gauge(partition, 'strangers') === 1).length
  })
  series.counter('lookups_forwarded_total', 'Keys that were looked up at other instances, by result', () => {
    return forwardResults.map((result: ForwardResult) => ({
      labels: { result },
      value: lookups.forwards.count(result),
    }))
  })
  series.counter('lookups_hedged_total', 'Lookups for which a second instance was asked, since one was slow', () => {
    return lookups.forwards.hedges
  })
}
