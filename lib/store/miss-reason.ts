/** Reasons why a lookup found nothing, other than "there is no such key", or why a partition cannot be walked. */
import { LatchkeyError } from '../errors.ts'
import { isComplete, isHidden, partitionStateOf } from '../store-protocol/partition-state.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { PartitionState } from '../store-protocol/status.ts'
import { isInGroup, type StoreConfig } from '../store-protocol/store-config.ts'
import { type Assignment, holdsAllPartitions } from './assignment.ts'
import { partitionFor } from './partitioner.ts'

/** Returns the error for a miss that is to be retried, here or at another instance; undefined if the key is not there. */
export type MissReasons = (key: Uint8Array) => LatchkeyError | undefined

/** Returns the reasons as they are now, for the misses of one request. Several keys may get the same error. */
export function missReasons(assignment: Assignment, stats: StatsView, config: StoreConfig): MissReasons {
  if (hasEveryKey(assignment, stats)) return noReason
  const { primaries, replicas, partitionCount, recovering = [] } = assignment
  const isGrouped = isInGroup(config)
  const rebuilding = [
    ...primaries.filter((partition) => partitionStateOf(stats, partition) === 'rebuilding'),
    ...(config.elastic ? [...primaries, ...replicas].filter((partition) => isHidden(stats, partition)) : []),
  ]
  const filling = [
    ...replicas.filter((partition) => isFilling(partition, assignment, stats, isGrouped)),
    ...primaries.filter((partition) => isEmptied(partitionStateOf(stats, partition))),
  ]
  const attempted = `Reading store ${config.storeId}`
  const reasonOf = (partition: number | undefined): LatchkeyError | undefined => {
    const rebuilt = partition === undefined ? rebuilding[0] : rebuilding.find((one) => one === partition)
    if (rebuilt !== undefined) {
      return rebuildingError(config, rebuilt)
    }
    const added = partition === undefined ? recovering[0] : recovering.find((one) => one === partition)
    if (added !== undefined) return recoveringError(`${attempted}: the key may be in`, added)
    if (partition === undefined ? filling.length > 0 : filling.includes(partition)) {
      const message = `${attempted}: the key may be in a replica that is still filling`
      return new LatchkeyError('replica_recovering', message, { details: { partitions: filling } })
    }
    if (partition === undefined || primaries.includes(partition) || replicas.includes(partition)) return undefined
    if (holdsAllPartitions(config)) return recoveringError(`${attempted}: the key belongs to`, partition)
    const message = `${attempted}: the key belongs to partition ${partition}, which this instance does not hold`
    return notHeldError(message, partition, assignment)
  }
  const known = new Map<number | undefined, LatchkeyError | undefined>()
  return (key) => {
    const partition = partitionFor(key, partitionCount, config.partitioner)
    if (!known.has(partition)) known.set(partition, reasonOf(partition))
    return known.get(partition)
  }
}

/** The error for a key that may be in a partition that is being rebuilt. */
export function rebuildingError({ storeId }: Pick<StoreConfig, 'storeId'>, partition: number): LatchkeyError {
  const message = `Reading store ${storeId}: the key may be in partition ${partition}, which is being rebuilt`
  return new LatchkeyError('rebuilding', message, { details: { partition } })
}

/** Whether each key that is not found does not exist. The usual case, so it allocates nothing. */
function hasEveryKey({ primaries, replicas, partitionCount, recovering }: Assignment, stats: StatsView): boolean {
  if (replicas.length > 0 || primaries.length < partitionCount) return false
  if (recovering !== undefined && recovering.length > 0) return false
  for (const partition of primaries) {
    if (!isComplete(partitionStateOf(stats, partition)) || isHidden(stats, partition)) return false
  }
  return true
}

/** Whether a replica may lack keys. In a group, one that is read to the end does, too, until the plan says otherwise. */
function isFilling(partition: number, { group }: Assignment, stats: StatsView, isGrouped: boolean): boolean {
  if (partitionStateOf(stats, partition) !== 'running') return true
  return isGrouped && (stats.gauge(partition, 'ready') !== 1 || group?.complete[partition] !== true)
}

/** Whether a partition has left the map that was a primary until now. The assignment may be of before. */
function isEmptied(state: PartitionState): boolean {
  return state === 'recovering' || state === 'starting'
}

/** Returns why not all entries of a partition are here; undefined if they are. */
export function incompleteReason(
  partition: number,
  assignment: Assignment,
  stats: StatsView,
  config: StoreConfig,
): LatchkeyError | undefined {
  const { primaries, replicas, partitionCount, recovering = [] } = assignment
  const attempted = `Reading store ${config.storeId}`
  const isReplica = replicas.includes(partition)
  if (!isReplica && !primaries.includes(partition)) {
    if (holdsAllPartitions(config) && partition >= 0 && partition < partitionCount) {
      return recoveringError(`${attempted}: the request is for`, partition)
    }
    return notHeldError(`${attempted}: this instance does not hold partition ${partition}`, partition, assignment)
  }
  if (recovering.includes(partition)) return recoveringError(`${attempted}: the request is for`, partition)
  const state = partitionStateOf(stats, partition)
  const isRebuilt = state === 'rebuilding' || isHidden(stats, partition)
  if (!isRebuilt && (isReplica ? isFilling(partition, assignment, stats, isInGroup(config)) : isEmptied(state))) {
    const message = `${attempted}: the replica of partition ${partition} is still filling`
    return new LatchkeyError('replica_recovering', message, { details: { partitions: [partition] } })
  }
  if (!isRebuilt) return undefined
  return new LatchkeyError('rebuilding', `${attempted}: partition ${partition} is being rebuilt`, {
    details: { partition },
  })
}

function notHeldError(message: string, partition: number, { primaries, replicas, group }: Assignment): LatchkeyError {
  const url = group?.owners[partition]
  const details = { partition, held: { primary: primaries, replicas }, ...(url !== undefined && { url }) }
  const end = url === undefined ? '' : `; ${url} does`
  return new LatchkeyError('partition_not_held', `${message}${end}`, { details })
}

/** The error for a partition that the topic got while the store runs, and that is still recovered. */
function recoveringError(beginning: string, partition: number): LatchkeyError {
  const found = `partition ${partition}, a new partition of the topic that this instance is still recovering`
  return new LatchkeyError('recovering', `${beginning} ${found}`, { details: { partition } })
}

function noReason(): undefined {}
