/**
 * How old a snapshot may be. A tombstone that was appended after the snapshot was taken must still be in the changelog,
 * or the deleted key would return.
 */
import type { Moment } from './snapshot-facts.ts'

/** What a `delete.retention.ms` counts that this user may not read: Kafka's default. */
export const deleteRetentionDefaultMs = 24 * 3_600_000

const marginMs = 5 * 60_000
/** Steps of a clock up to this are corrections. They are a part of the margin. */
const clockStepMs = 60_000

/**
 * Returns the age up to which every tombstone behind a snapshot is still in the changelog. Compaction removes none
 * sooner than `delete.retention.ms` after it was appended.
 * @param isProved whether the broker's clock shows the age; else only the local clock does, and half counts
 */
export function allowedAgeMs(deleteRetentionMs: number, isProved: boolean): number {
  const allowed = Math.max(0, deleteRetentionMs * 0.9 - marginMs)
  return isProved ? allowed : allowed / 2
}

/** Returns the age of a snapshot by the clock that says more, and whether a clock went backwards. */
export function ageOf(takenAt: Moment, now: Moment): { ms: number; isProved: boolean; isBackwards: boolean } {
  const local = now.local - takenAt.local
  const isProved = takenAt.broker !== undefined && now.broker !== undefined
  const broker = isProved ? now.broker - takenAt.broker : local
  return { ms: Math.max(local, broker, 0), isProved, isBackwards: Math.min(local, broker) < -clockStepMs }
}
