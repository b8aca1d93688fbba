/**
 * What an event of GET /status-store/<id>/events holds, as JSON. Types alone: the script of the page imports them, too.
 */
import type { GroupRow } from '../../group-protocol/describe-group.ts'
import type { GroupStatus } from '../../group-protocol/group-status.ts'
import type { SkippedRecord } from '../../store-protocol/skipped.ts'
import type {
  Condition,
  MemoryStatus,
  PartitionStatus,
  RecoveryProgress,
  StoreState,
} from '../../store-protocol/status.ts'

export interface StatusEvent {
  /** Of the store, in URLs. */
  id: string
  /** Source topic; null for a replica that has none. */
  topic: string | null
  changelog: string
  /** Host name of the machine or container. */
  instance: string
  version: string
  /** Port of the Redis protocol; null if it is not served. */
  respPort: number | null
  /** `stopping` during SHUTDOWN_DELAY, too. */
  state: StoreState
  /** Why the state is `failed`, or a problem of a running store, such as an unreachable broker. */
  reason?: string
  isCaughtUp: boolean
  /** Of the process. */
  uptimeSeconds: number
  formats: { key: string; value: string }
  /** Null unless the store recovers, rebuilds or catches up. */
  progress: RecoveryProgress | null
  /** What /readyz answers. */
  isReady: boolean
  /** Conditions of readiness that fail, and those that hold but have something to say, such as full memory. */
  conditions: ShownCondition[]
  /** Of the last second. */
  rates: Rates
  /** Of the two minutes before, the oldest first, once a second; only in the first event of a stream. */
  history?: readonly Rates[]
  /** Sums over all partitions held here; the lag is null before it is known. */
  totals: { partitions: number; entries: number; lag: number | null }
  /** Those that need attention first, then by number; 256 at most. */
  partitions: ShownPartition[]
  /** Number of partitions that are not in the list. */
  partitionsOmitted: number
  /** Source records that were not stored, since the start. */
  badRecords: { total: number; byReason: Record<string, number>; last: readonly SkippedRecord[] }
  memory: ShownMemory
  /** Null without SNAPSHOT_DIR. */
  snapshots: ShownSnapshots | null
  /** Null without ELASTIC. */
  group: ShownGroup | null
  /** In the order of --help; none in an embedding program. */
  settings: readonly ShownSetting[]
}

export interface ShownCondition extends Condition {
  /** What a person can do about it. */
  advice: string
}

/** Each per second, except for the percentile. */
export interface Rates {
  recordsIn: number
  changelogWrites: number
  /** Over HTTP and the Redis protocol. */
  lookups: number
  /** Time of 99 of 100 lookups over HTTP, in ms; null if there was none. */
  p99Ms: number | null
}

export interface ShownPartition extends Omit<PartitionStatus, 'totalBytes' | 'snapshot' | 'troubles'> {
  deadBytes: number
  /** Null without a snapshot. */
  snapshotAgeSeconds: number | null
}

/** In bytes. `max` and `budget` are null without MEMORY_MAX. */
export interface ShownMemory extends MemoryStatus {
  /** Of the process. */
  resident: number
  live: number
  dead: number
  index: number
}

export interface ShownSnapshots {
  /** Partitions that have one. */
  partitions: number
  /** Of the oldest one; null if there is none. */
  ageSeconds: number | null
  bytes: number
  taken: number
  failed: number
  /** Number of partitions by how the last start found their snapshot: `used`, `none`, or a reason against it. */
  starts: Record<string, number>
}

export interface ShownGroup extends Pick<GroupStatus, 'name' | 'state' | 'generation' | 'isLeader'> {
  /** Of this instance; 0 without one. */
  leaseSeconds: number
  instances: GroupRow[]
  /** What differs from a group that is at rest, in sentences; the most urgent first. */
  notes: string[]
}

export interface ShownSetting {
  /** As in the environment. */
  readonly name: string
  /** Null if there is none, and of a secret, which is never shown. */
  readonly value: string | null
  readonly isSecret: boolean
  /** Whether it is given; else its default applies. */
  readonly isGiven: boolean
  /** `flag`, `environment`, the path of a file, `default`, or of a setting without a value `default: <what applies>`. */
  readonly origin: string
}
