/** Reasons why a lookup found nothing, other than "there is no such key". */
import { LatchkeyError } from '../errors.ts'
import { partitionStateOf } from '../store-protocol/partition-state.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { type Assignment, holdsAllPartitions } from './assignment.ts'
import { partitionFor } from './partitioner.ts'

/**
 * Returns the error for a miss that is to be retried, here or at another instance; undefined if the key does not exist.
 */
export function explainMiss(
  key: Uint8Array,
  assignment: Assignment,
  stats: StatsView,
  config: StoreConfig,
): LatchkeyError | undefined {
  const { primaries, replicas, partitionCount } = assignment
  const rebuilt = rebuildingPartition(key, assignment, stats, config)
  if (rebuilt !== undefined) {
    const message = `Reading store ${config.storeId}: the key may be in partition ${rebuilt}, which is being rebuilt`
    return new LatchkeyError('rebuilding', message, { details: { partition: rebuilt } })
  }
  if (replicas.length === 0 && primaries.length === partitionCount) return undefined
  const partition = partitionFor(key, partitionCount, config.partitioner)
  const filling = replicas.filter((replica) => partitionStateOf(stats, replica) !== 'running')
  if (partition === undefined ? filling.length > 0 : filling.includes(partition)) {
    const message = `Reading store ${config.storeId}: the key may be in a replica that is still filling`
    return new LatchkeyError('replica_recovering', message, { details: { partitions: filling } })
  }
  if (partition === undefined || primaries.includes(partition) || replicas.includes(partition)) return undefined
  if (holdsAllPartitions(config)) {
    const found = `the key belongs to partition ${partition}, a new partition of the topic that this instance is still recovering`
    return new LatchkeyError('recovering', `Reading store ${config.storeId}: ${found}`, { details: { partition } })
  }
  const message = `Reading store ${config.storeId}: the key belongs to partition ${partition}, which this instance does not hold`
  return new LatchkeyError('partition_not_held', message, {
    details: { partition, held: { primary: primaries, replicas } },
  })
}

/** Returns a primary partition that may have the key and whose source is read again; undefined if there is none. */
function rebuildingPartition(
  key: Uint8Array,
  assignment: Assignment,
  stats: StatsView,
  config: StoreConfig,
): number | undefined {
  for (const partition of assignment.primaries) {
    if (partitionStateOf(stats, partition) !== 'rebuilding') continue
    const home = partitionFor(key, assignment.partitionCount, config.partitioner)
    if (home === undefined || home === partition) return partition
  }
  return undefined
}
