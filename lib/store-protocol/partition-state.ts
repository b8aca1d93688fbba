/** The state of a partition in shared memory, as an index into `partitionStates`. */
import { isDebug, loggerOf } from '../log/index.ts'
import type { StatsView } from './stats-view.ts'
import type { Stats } from './stats.ts'
import { type PartitionState, partitionStates } from './status.ts'

const log = loggerOf('store')

export function partitionStateOf(stats: StatsView, partition: number): PartitionState {
  return partitionStates[stats.gauge(partition, 'state')] ?? 'starting'
}

const incomplete: ReadonlySet<PartitionState> = new Set(['starting', 'recovering', 'rebuilding'])

/** Whether lookups find everything that the partition has to show. */
export function isComplete(state: PartitionState): boolean {
  return !incomplete.has(state)
}

/** Whether a rebuild replaces what the partition has here, or is about to: no lookup is answered from it. */
export function isHidden(stats: StatsView, partition: number): boolean {
  return stats.gauge(partition, 'hidden') === 1
}

export function setPartitionState(stats: Stats, partition: number, state: PartitionState): void {
  const from = partitionStateOf(stats, partition)
  if (isComplete(from) && !isComplete(state)) {
    stats.setGauge(partition, 'refills', Math.max(0, stats.gauge(partition, 'refills')) + 1)
  }
  if (isDebug() && from !== state) {
    log.debug('Partition {partition}: state {from} changed to {state}', { partition, from, state })
  }
  stats.setGauge(partition, 'state', partitionStates.indexOf(state))
}
