/** The partitions that an instance holds, and their roles. Known when the number of partitions is known. */
import { LatchkeyError } from '../errors.ts'
import type { StoreConfig } from './store-config.ts'

export interface Roles {
  /** Consumed from the source, written to the changelog. */
  primaries: number[]
  /** Copied from the changelog. */
  replicas: number[]
  /** Settings that have no effect. */
  notices: string[]
}

/**
 * The roles that partitions are to have. If partitions come and go, those in neither list are not held; otherwise they
 * keep their roles, and partitions that are not held are left out.
 */
export interface WantedRoles {
  readonly primaries: readonly number[]
  readonly replicas: readonly number[]
  /** As which member of the group offsets are committed; null if it is none at the moment. Absent without a group. */
  readonly member?: { readonly memberId: string; readonly generation: number } | null
  /** It has left the group, which has no other member to take its primaries: they stay so until it closes. */
  readonly isLast?: boolean
  /** Partitions that the group has got to know as having keys which the partitioner puts elsewhere. */
  readonly strangers?: {
    readonly partitions: readonly number[]
    /** No other instance has to learn of it. */
    readonly isAlone: boolean
  }
}

/** The partitions of each role. */
export type RolePartitions = Pick<WantedRoles, 'primaries' | 'replicas'>

/**
 * Returns the partitions of one store thread: those of the instance, or the configured share of them.
 *
 * @throws LatchkeyError topics_unfit for partitions that do not exist
 */
export function rolesOf(config: StoreConfig, partitionCount: number): Roles {
  const { primaries, replicas, notices } = rolesOfAll(config, partitionCount)
  if (config.share === undefined) return { primaries, replicas, notices }
  const { index, count } = config.share
  const isOfLayout = (partition: number, at: number) => (config.elastic ? partition : at) % count === index
  // Primaries first: each thread gets its part of the work.
  const mine = new Set([...primaries, ...replicas].filter(isOfLayout))
  const isMine = (partition: number) => mine.has(partition)
  return {
    primaries: primaries.filter(isMine),
    replicas: replicas.filter(isMine),
    notices: index === 0 ? notices : [],
  }
}

/** Returns the partitions that one store thread may hold, in ascending order. */
export function layoutOf(config: StoreConfig, partitionCount: number): number[] {
  const { elastic, share = { index: 0, count: 1 } } = config
  if (elastic === undefined) {
    const { primaries, replicas } = rolesOf(config, partitionCount)
    return [...primaries, ...replicas].toSorted((a, b) => a - b)
  }
  const all = Array.from({ length: partitionCount }, (_, partition) => partition)
  return all.filter((partition) => partition >= (elastic.from ?? 0) && partition % share.count === share.index)
}

function rolesOfAll(config: StoreConfig, partitionCount: number): Roles {
  const { partitions, partitionsReplica, useReplicaOnly, useProcessingOnly } = config
  const all = Array.from({ length: partitionCount }, (_, partition) => partition)
  const topic = useReplicaOnly ? config.changelogTopic : config.sourceTopic
  const faults = [
    ...missing('PARTITIONS', useReplicaOnly ? [] : partitions, topic, partitionCount),
    ...missing('PARTITIONS_REPLICA', partitionsReplica, topic, partitionCount),
  ]
  if (faults.length > 0) {
    throw new LatchkeyError('topics_unfit', `Looking at the topics: ${faults.join('; ')}`, { details: { faults } })
  }
  const notices: string[] = []
  if (config.elastic) return { primaries: [...partitions], replicas: [...partitionsReplica], notices }
  if (useReplicaOnly) {
    if (partitions.length > 0) notices.push('PARTITIONS is ignored: with USE_REPLICA_ONLY=true there are only replicas')
    return { primaries: [], replicas: partitionsReplica.length > 0 ? [...partitionsReplica] : all, notices }
  }
  const primaries = partitions.length > 0 ? [...partitions] : all
  if (useProcessingOnly) {
    if (partitionsReplica.length > 0) {
      notices.push('PARTITIONS_REPLICA is ignored: with USE_PROCESSING_ONLY=true nothing is held in memory')
    }
    return { primaries, replicas: [], notices }
  }
  const both = partitionsReplica.filter((partition) => primaries.includes(partition))
  if (both.length > 0) {
    notices.push(
      `PARTITIONS_REPLICA: ${listOf(both)} left out, since this instance has ${both.length === 1 ? 'it' : 'them'} as primary`,
    )
  }
  return { primaries, replicas: partitionsReplica.filter((partition) => !both.includes(partition)), notices }
}

function missing(setting: string, wanted: readonly number[], topic: string, partitionCount: number): string[] {
  const absent = wanted.filter((partition) => partition >= partitionCount)
  if (absent.length === 0) return []
  const existing = partitionCount === 1 ? 'only partition 0' : `the partitions 0 to ${partitionCount - 1}`
  return [`${setting} names ${listOf(absent)}, but ${topic} has ${existing}`]
}

function listOf(partitions: readonly number[]): string {
  return `partition${partitions.length === 1 ? '' : 's'} ${partitions.join(', ')}`
}
