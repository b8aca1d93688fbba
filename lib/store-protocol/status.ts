/** What a store tells about itself: to main, to HTTP, to embedders. Plain data, no behaviour. */
import { type SkippedRecords } from './skipped.ts'

export type StoreState = 'starting' | 'recovering' | 'running' | 'stopping' | 'failed'

/**
 * `rebuilding`: the changelog did not hold what it should, so the source is read again from its start and nothing is served until then.
 * `repairing`: the changelog has lost acknowledged records, which are written again; what is held is served, and current.
 * `contested`: another writer replaces records of the changelog again and again, and is not answered any more; what is held is served, and current.
 * `fenced`: another instance has taken this partition; what is held is served as stale and never written again.
 * `halted`: a record cannot be stored, and ON_BAD_RECORD=stop; what is held is served as stale.
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
] as const
export type PartitionState = (typeof partitionStates)[number]

export type PartitionRole = 'primary' | 'replica'

/** What a Kafka client does not get done for a partition. */
export interface PartitionTrouble {
  partition: number
  /** `source consumer`, `changelog producer`, `changelog consumer`. */
  client: string
  /** host:port; null where that is not known. */
  broker: string | null
  /** ISO 8601. */
  since: string
  message: string
}

export interface PartitionStatus {
  partition: number
  role: PartitionRole
  state: PartitionState
  /** Next source offset to consume, of a replica next changelog offset to copy; null before it is known. */
  position: number | null
  /** Where the source, for a replica the changelog, ends now; null before it is known. */
  end: number | null
  /** end - position, in records; null before both are known, and for a replica that has not heard of the end for ten seconds. */
  lag: number | null
  /** Keys that a lookup can find or that await the next flush. */
  entries: number
  /** Bytes of the entries that are still the latest of their key. */
  liveBytes: number
  /** Bytes of all entries, overwritten and deleted ones included. */
  totalBytes: number
  /** What a Kafka client does not get done for it, where and since when; absent while all is well. */
  reason?: string
  troubles?: PartitionTrouble[]
}

/**
 * What a store does before it is as its source was at start. `recovering`: the changelog is read. `deleting`: before a rebuild, tombstones are written
 * for what was there. `rebuilding`: the source is read from its start. `catching-up`: the source is read on from where an earlier run ended.
 */
export const recoveryPhases = ['recovering', 'deleting', 'rebuilding', 'catching-up'] as const
export type RecoveryPhase = (typeof recoveryPhases)[number]

export interface RecoveryProgress {
  phase: RecoveryPhase
  /** Of this phase. */
  records: number
  bytes: number
  /** Of the last seconds, as the estimate. */
  recordsPerSecond: number
  /** 0 to 100, by offsets, or keys that are deleted. */
  percent: number
  /** Estimate of what remains; null while there is no rate yet. */
  remainingSeconds: number | null
}

/** One named condition of readiness. */
export interface Condition {
  name: string
  ok: boolean
  reason?: string
}

export interface StoreStatus {
  id: string
  /** Names of the formats of keys and of stored values, such as `raw` or `protobuf orders.v1.Order`. */
  formats: { readonly key: string; readonly value: string }
  state: StoreState
  /** Why the state is `failed`, or what a running store has trouble with (an unreachable broker). */
  reason?: string
  partitions: { primary: number[]; replicas: number[] }
  /** Whether every primary partition has passed the end that its source had at start, whatever readiness asks for. */
  caughtUp: boolean
  recovery: RecoveryProgress | null
  /** Source records that were not stored since the start. */
  skipped: SkippedRecords
  details: PartitionStatus[]
  conditions: Condition[]
}

/** One record found by a lookup. `value` is the caller's own copy. */
export interface Lookup {
  value: Uint8Array
  partition: number
  /** Offset of the source record; -1 where the changelog did not tell. */
  offset: number
  /** Milliseconds since the epoch; -1 where the record had none. */
  timestamp: number
  /** Headers of the source record that KEEP_HEADERS names, encoded: keptHeaders() of kept-headers.ts reads them. Absent where there are none. */
  headerBlock?: Uint8Array
  /** Only where the partition is a replica here: how many records it is behind; null where that is not known. */
  replicaLag?: number | null
}
