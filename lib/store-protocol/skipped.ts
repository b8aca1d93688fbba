/** Source records that were not stored, by reason. Metrics, status, log and dead letters share the names. */
import type { StatsView } from './stats-view.ts'
import type { CounterName } from './stats.ts'

export const skippedReasons: readonly (readonly [string, CounterName])[] = [
  ['null_key', 'skippedNullKey'],
  ['undecodable', 'skippedUndecodable'],
  ['corrupt_batch', 'skippedCorruptBatch'],
  ['too_large', 'skippedTooLarge'],
  ['invalid_key', 'skippedInvalidKey'],
  ['invalid_value', 'skippedInvalidValue'],
  ['conversion', 'skippedConversion'],
]

export interface SkippedRecords {
  total: number
  /** Only reasons that occurred. */
  byReason: Record<string, number>
  /** The last ones, the latest first; absent if there are none. */
  last?: readonly SkippedRecord[]
}

/** Number of bad records that are remembered. */
export const badRecordsKept = 10

/** A source record that was not stored: where it is and why, without anything of its content. */
export interface SkippedRecord {
  /** Time at which it was found, in ms since the epoch. */
  at: number
  partition: number
  /** Source offset. */
  offset: number
  /** Last offset, if a whole batch could not be read. */
  lastOffset?: number
  /** As in `byReason`. */
  reason: string
  /** What is wrong with it. */
  fault: string
}

/** Counted since the start of the process. */
export function skippedOf(stats: Pick<StatsView, 'count'>): SkippedRecords {
  const byReason: Record<string, number> = {}
  let total = 0
  for (const [reason, counter] of skippedReasons) {
    const count = stats.count(counter)
    if (count > 0) byReason[reason] = count
    total += count
  }
  return { total, byReason }
}

/** Returns for example `conversion 97, null_key 3`. */
export function reasonsText({ byReason }: SkippedRecords): string {
  return Object.entries(byReason)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ')
}

/** Returns the latest bad records of several threads. */
export function lastOf(parts: readonly (readonly SkippedRecord[])[]): Pick<SkippedRecords, 'last'> {
  const last = parts.flat().toSorted((a, b) => b.at - a.at)
  return last.length === 0 ? {} : { last: last.slice(0, badRecordsKept) }
}

/** Returns the name of the reason that a counter counts. */
export function reasonOf(counter: CounterName): string {
  return skippedReasons.find(([, name]) => name === counter)?.[0] ?? counter
}
