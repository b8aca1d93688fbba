/** The partitions that an instance holds, as its store threads have reported them. */
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'

export interface Assignment {
  primaries: readonly number[]
  replicas: readonly number[]
  partitionCount: number
  /** Those that the topic got while the store runs, and that are not recovered yet. Included above. */
  recovering?: readonly number[]
  /** Only where a group assigns the partitions. */
  group?: GroupRoutes
}

/** What a group says of its partitions, by partition. */
export interface GroupRoutes {
  /** Whether a copy that is read to the end may say that a key does not exist. */
  readonly complete: readonly boolean[]
  /** URL of the primary; undefined if there is none. */
  readonly owners: readonly (string | undefined)[]
  /**
   * Whether the plan has another instance as primary. That one may have taken the partition, and written newer values,
   * before this one has given it up.
   */
  readonly isElsewhere: readonly boolean[]
}

export function groupRoutesOf({ view }: GroupReport): GroupRoutes | undefined {
  if (view === undefined) return undefined
  const { members, routes } = view.plan
  const self = members.findIndex(({ memberId }) => memberId === view.memberId)
  return {
    complete: routes.map(({ isComplete }) => isComplete),
    owners: routes.map(({ primary }) => members[primary]?.url),
    isElsewhere: routes.map(({ primary }) => primary >= 0 && primary !== self),
  }
}

interface HoldingThread {
  readonly assignment: Assignment
  readonly state: string
}

/**
 * Returns what several threads hold together.
 * @param added threads of partitions that the topic got while the store runs
 */
export function mergedAssignment(initial: readonly HoldingThread[], added: readonly HoldingThread[]): Assignment {
  const all = [...initial, ...added].map(({ assignment }) => assignment)
  return {
    primaries: all.flatMap(({ primaries }) => primaries).toSorted((a, b) => a - b),
    replicas: all.flatMap(({ replicas }) => replicas).toSorted((a, b) => a - b),
    partitionCount: Math.max(...all.map(({ partitionCount }) => partitionCount)),
    recovering: added.flatMap(({ state, assignment }) => (state === 'running' ? [] : partitionsOf(assignment))),
  }
}

/**
 * In a group the plan says how many partitions there are: an instance may know of a growth sooner or later than the
 * others, and all have to place keys alike.
 * @param planned partitions of the plan that had the most; 0 before the first
 */
export function inGroup(assignment: Assignment, group: GroupRoutes, planned: number): Assignment {
  return { ...assignment, group, ...(planned > 0 && { partitionCount: planned }) }
}

/** Returns all partitions held, in ascending order. */
export function partitionsOf({ primaries, replicas }: Pick<Assignment, 'primaries' | 'replicas'>): number[] {
  return [...primaries, ...replicas].toSorted((a, b) => a - b)
}

/** Whether an instance holds every partition, including those that the topic gets later. */
export function holdsAllPartitions({ elastic, useReplicaOnly, partitions, partitionsReplica }: StoreConfig): boolean {
  return elastic === undefined && (useReplicaOnly ? partitionsReplica : partitions).length === 0
}

/** Whether an instance may hold partitions that the topic gets later. */
export function takesNewPartitions(config: StoreConfig): boolean {
  return config.elastic !== undefined || holdsAllPartitions(config)
}
