/** What crosses between a store thread and its snapshot thread. Structured-cloneable. */
import type { SnapshotFailure } from './faults.ts'
import type { SegmentRow, SnapshotManifest } from './manifest.ts'
import type { PlannedSegment } from './plan.ts'

/** Writes a snapshot. */
export interface SnapshotJob {
  readonly kind: 'write'
  /** Directory of the partition. */
  readonly directory: string
  readonly manifest: Omit<SnapshotManifest, 'segments' | 'index'>
  readonly segments: readonly PlannedSegment[]
  /** A copy of the table. It does not change while the job runs. */
  readonly table: SharedArrayBuffer
  readonly bits: number
  /** Generations of the manifests that are kept beside this one. */
  readonly keep: readonly number[]
  /** Generations of the log files that these manifests name. */
  readonly keepLogs: readonly number[]
  /** Length of the log file up to which kept manifests name it. */
  readonly logLength: number
  /** stateBytes: see reading, and unhurried. */
  readonly state: SharedArrayBuffer
}

export interface MappedSegment {
  readonly number: number
  readonly partition: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  /** Bytes that may show the file. */
  readonly length: number
}

/** Makes segments independent of the file that they show. */
export interface OwnJob {
  readonly kind: 'own'
  readonly segments: readonly MappedSegment[]
}

export type ThreadJob = SnapshotJob | OwnJob

export const stateBytes = 8

/**
 * Of the first word of `state`. The snapshot thread changes `reading` to `read` when it needs the segments no longer; the store
 * thread changes `reading` to `aborted` before it uses the memory of the segments for something else. The second of them
 * does not succeed. So no manifest names what was written from memory that was in use again.
 */
export const reading = 0
export const read = 1
export const aborted = 2

/** Of the second word: whether the snapshot thread makes pauses. The store thread changes `unhurried` to `hurried`. */
export const paceWord = 1
export const unhurried = 0
export const hurried = 1

export type FromSnapshotThread =
  /** The segment was written, or is independent of its file. */
  | { readonly kind: 'segment'; readonly number: number }
  /** The thread is alive. */
  | { readonly kind: 'progress' }
  | {
      readonly kind: 'written'
      readonly segments: readonly SegmentRow[]
      readonly index: SnapshotManifest['index']
      readonly bytes: number
      /** Duration of the pauses. */
      readonly pausedMs: number
    }
  | { readonly kind: 'owned' }
  | { readonly kind: 'failed'; readonly failure: SnapshotFailure; readonly isLogLost: boolean }
