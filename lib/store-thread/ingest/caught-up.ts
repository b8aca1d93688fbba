/** Logs that a store has caught up, with the number of source records that it could not store. */
import { loggerOf } from '../../log/index.ts'
import { reasonsText, skippedOf } from '../../store-protocol/skipped.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'

const log = loggerOf('store')

export function logCaughtUp({ sourceTopic }: StoreConfig, stats: Pick<Stats, 'count'>): void {
  const skipped = skippedOf(stats)
  const consumed = stats.count('recordsConsumed')
  if (skipped.total === 0) return log.info('Caught up with {sourceTopic} as it was at start', { sourceTopic })
  const reasons = reasonsText(skipped)
  const counts = { sourceTopic, skipped: skipped.total, consumed, reasons }
  log.info(
    'Caught up with {sourceTopic} as it was at start; of the {consumed} records read since this start, {skipped} could not be stored: {reasons}',
    counts,
  )
  // If records were recovered, earlier ones were stored, so settings and records fit each other.
  if (stats.count('recordsRecovered') > 0 || skipped.total * 2 <= consumed) return
  log.warn(
    'Reading {sourceTopic}: more than half of its records could not be stored, {skipped} of {consumed} ({reasons}); ' +
      'correct the formats or the store module, and start once with --rebuild',
    counts,
  )
}
