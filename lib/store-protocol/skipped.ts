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

/** Returns the name of the reason that a counter counts. */
export function reasonOf(counter: CounterName): string {
  return skippedReasons.find(([, name]) => name === counter)?.[0] ?? counter
}
