/** The state of a partition in shared memory, as an index into `partitionStates`. */
import type { StatsView } from './stats-view.ts'
import type { Stats } from './stats.ts'
import { type PartitionState, partitionStates } from './status.ts'

export function partitionStateOf(stats: StatsView, partition: number): PartitionState {
  return partitionStates[stats.gauge(partition, 'state')] ?? 'starting'
}

export function setPartitionState(stats: Stats, partition: number, state: PartitionState): void {
  stats.setGauge(partition, 'state', partitionStates.indexOf(state))
}
