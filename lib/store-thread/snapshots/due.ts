/** Decides when the next snapshot of a partition is taken. */
import { allowedAgeMs } from '../../store-protocol/snapshot-age.ts'
import type { Moment, SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'

/** Records after which a snapshot is taken sooner: replaying them takes half a second. */
const recordsMax = 500_000
/** A snapshot is taken again, even without a change, when it has used up one part in this many of its allowed age. */
const agingFactor = 10

export interface SnapshotState {
  /** When the last snapshot, or attempt, ended (performance.now()); -Infinity before the first. */
  readonly endedAt: number
  /** Changelog position, and number of records, of the last snapshot; -1 before the first. */
  readonly position: number
  readonly records: number
}

export interface LastSnapshot extends SnapshotState {
  takenAt: Moment | undefined
  /** Age at which it is taken again without a change. */
  agesAtMs: number
}

/** @param endedAt performance.now() */
export function lastOf(
  { position, records, takenAt, deleteRetentionMs }: SnapshotFacts,
  endedAt: number,
): LastSnapshot {
  const agesAtMs = allowedAgeMs(deleteRetentionMs, takenAt.broker !== undefined) / agingFactor
  return { endedAt, position, records, takenAt, agesAtMs }
}

/**
 * @param now performance.now()
 * @param isAging whether the last snapshot has used up so much of its allowed age that it is to be taken again
 */
export function isDue(
  last: SnapshotState,
  position: number,
  records: number,
  seconds: number,
  now: number,
  isAging: boolean,
): boolean {
  if (position < 0 || (position === last.position && !isAging)) return false
  return now - last.endedAt >= seconds * 1_000 || (last.position >= 0 && records - last.records >= recordsMax)
}
