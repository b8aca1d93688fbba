/** Logs that a store has caught up, with the number of source records that it could not store. */
import { loggerOf } from '../../log/index.ts'
import { reasonsText, skippedOf } from '../../store-protocol/skipped.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'

const log = loggerOf('store')

export function logCaughtUp({ sourceTopic, elastic }: StoreConfig, stats: Pick<Stats, 'count'>): void {
  const skipped = skippedOf(stats)
  const consumed = stats.count('recordsConsumed')
  // An instance of a group that takes over what it had as a copy was not behind.
  if (consumed === 0 && elastic !== undefined) return
  const when = elastic === undefined ? 'at start' : 'when this instance took its partitions'
  if (consumed === 0) return log.info('Caught up with {sourceTopic}: it has nothing new', { sourceTopic })
  if (skipped.total === 0) return log.info('Caught up with {sourceTopic} as it was {when}', { sourceTopic, when })
  const reasons = reasonsText(skipped)
  const counts = { sourceTopic, when, skipped: skipped.total, consumed, reasons }
  log.info(
    'Caught up with {sourceTopic} as it was {when}; of the {consumed} records read since this start, {skipped} could not be stored: {reasons}',
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
