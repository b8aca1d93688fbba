/** Status of a store, for the executable, HTTP and embedding programs. Plain data without behaviour. */
import type { GroupStatus } from '../group-protocol/group-status.ts'
import type { SkippedRecords } from './skipped.ts'
import type { SnapshotRefusal } from './snapshot-refusal.ts'

export const storeStates = ['starting', 'recovering', 'running', 'stopping', 'failed'] as const
export type StoreState = (typeof storeStates)[number]

/**
 * States of a partition.
 *
 * - `rebuilding`: the changelog did not have the expected content, so the source is read again from its start. Nothing
 *   is served until then.
 * - `repairing`: the changelog has lost acknowledged records, which are written again. The partition is served and
 *   current.
 * - `contested`: another writer keeps replacing records of the changelog, and the store no longer repairs them. The
 *   partition is served and current.
 * - `fenced`: another instance has taken the partition. It is served as stale and never written again.
 * - `halted`: a record cannot be stored, and ON_BAD_RECORD=stop. The partition is served as stale.
 * - `full`: it would be `running`, but memory is full and nothing more is read. The partition is served as stale.
 */
export const partitionStates = [
  'starting',
  'recovering',
  'rebuilding',
  'running',
  'fenced',
  'halted',
  'failed',
  'repairing',
  'contested',
  'full',
] as const
export type PartitionState = (typeof partitionStates)[number]

export type PartitionRole = 'primary' | 'replica'

/** A problem of a Kafka client with a partition. */
export interface PartitionTrouble {
  partition: number
  /** `source consumer`, `changelog producer`, `changelog consumer`. */
  client: string
  /** host:port; null if it is not known. */
  broker: string | null
  /** ISO 8601. */
  since: string
  message: string
}

/** The local snapshot of a partition. */
export interface SnapshotStatus {
  /** Why the last start did not use the snapshot of before; `used` if it did, `none` if there was none. */
  start: SnapshotRefusal
  /** Next changelog offset; null before the first snapshot, like the others. */
  position: number | null
  /** Age in seconds, by the clock of this machine. */
  ageSeconds: number | null
  entries: number | null
  /** Size of its files. */
  bytes: number | null
  /** Time in seconds that it took to write; null until this process has written one. */
  seconds: number | null
}

export interface PartitionStatus {
  partition: number
  role: PartitionRole
  state: PartitionState
  /** Next source offset to consume, or for a replica, next changelog offset to copy; null before it is known. */
  position: number | null
  /** Current end of the source, or for a replica, of the changelog; null before it is known. */
  end: number | null
  /**
   * end - position, in records; null before both are known, and for a replica that has not received the end for ten
   * seconds.
   */
  lag: number | null
  /** Keys that a lookup can find or that await the next flush. */
  entries: number
  /** Bytes of the entries that are still the latest of their key. */
  liveBytes: number
  /** Bytes of all entries, including overwritten and deleted ones. */
  totalBytes: number
  /** Bytes of its index. */
  indexBytes: number
  /** Absent without SNAPSHOT_DIR. */
  snapshot?: SnapshotStatus
  /** Problems of Kafka clients with the partition: where and since when; absent without problems. */
  reason?: string
  troubles?: PartitionTrouble[]
}

/**
 * Phases of a store until it has reached the end that the source had at start.
 *
 * - `recovering`: the changelog is read.
 * - `deleting`: before a rebuild, tombstones are written for the existing keys.
 * - `rebuilding`: the source is read from its start.
 * - `catching-up`: the source is read from the position at which an earlier run ended.
 */
export const recoveryPhases = ['recovering', 'deleting', 'rebuilding', 'catching-up'] as const
export type RecoveryPhase = (typeof recoveryPhases)[number]

export interface RecoveryProgress {
  phase: RecoveryPhase
  /** Records and bytes of this phase. */
  records: number
  bytes: number
  /** Rate of the last seconds, as used for the estimate. */
  recordsPerSecond: number
  /** 0 to 100, by offsets, or by deleted keys. */
  percent: number
  /** Estimated rest; null while there is no rate yet. */
  remainingSeconds: number | null
}

/** Memory for keys and values, in bytes. */
export interface MemoryStatus {
  /** `full`: nothing more is read until there is room. Lookups continue. */
  state: 'ok' | 'full'
  /** MEMORY_MAX, and what it leaves for keys, values and their index; null without a bound. */
  max: number | null
  budget: number | null
  /** What keys, values and their index take of it, and what was freed and is kept for later ones. */
  used: number
  free: number
}

/** All conditions of readiness, of which some apply to some settings and states only. */
export const conditionNames = [
  'not_failed',
  'not_stopping',
  'recovered',
  'caught_up',
  'not_fenced',
  'not_contested',
  'not_halted',
  'not_rebuilding',
  'memory',
  // With ELASTIC.
  'in_group',
  'routed',
  'filled',
  'reachable',
] as const
export type ConditionName = (typeof conditionNames)[number]

/** A named condition of readiness. */
export interface Condition {
  /** `running` only in the answers of probes. */
  name: ConditionName | 'running'
  ok: boolean
  /** Also of a condition that holds, if there is something to say. */
  reason?: string
}

export interface StoreStatus {
  id: string
  /** The source is null for a replica that has none. */
  topics: { source: string | null; changelog: string }
  /** Names of the formats of keys and of stored values, such as `raw` or `protobuf orders.v1.Order`. */
  formats: { readonly key: string; readonly value: string }
  state: StoreState
  /** Why the state is `failed`, or a problem of a running store, such as an unreachable broker. */
  reason?: string
  partitions: { primary: number[]; replicas: number[] }
  /** Whether every primary partition has passed the end that its source had at start. Independent of READY_WHEN. */
  caughtUp: boolean
  recovery: RecoveryProgress | null
  memory: MemoryStatus
  /** Source records that were not stored since the start. */
  skipped: SkippedRecords
  details: PartitionStatus[]
  conditions: Condition[]
  /** Absent without ELASTIC. */
  group?: GroupStatus
}

/** A record found by a lookup. `value` is a copy that belongs to the caller. */
export interface Lookup {
  value: Uint8Array
  partition: number
  /** Offset of the source record; -1 if the changelog does not have it. */
  offset: number
  /** Milliseconds since the epoch; -1 if the record had none. */
  timestamp: number
  /**
   * Encoded headers of the source record that KEEP_HEADERS names; decodeKeptHeaders() in header-prefix.ts reads them. Absent
   * if there are none.
   */
  headerBlock?: Uint8Array
  /** Only for a replica: number of records that it is behind; null if that is not known. */
  replicaLag?: number | null
  /** Identity of the other instance of the group that has answered; absent if this one has. */
  instance?: string
}
