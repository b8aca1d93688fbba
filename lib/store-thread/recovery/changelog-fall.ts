/**
 * When the changelog has lost records last. Clients of the change feed that continue at an older place begin again: the
 * offsets of that place may be those of other records. Commits state the time, for the starts that come after.
 */
import type { CommittedOffset } from '../../kafka/offsets.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import { marksIn } from './marks.ts'
import type { Resumption } from './resume.ts'

/** To be called at a start. A rebuild counts as a loss of now. */
export function noteChangelogFall(
  stats: Stats,
  committed: Iterable<CommittedOffset>,
  resumed: Iterable<Pick<Resumption, 'rebuild'>>,
): void {
  let fellAt = stats.count('changelogFellAt')
  for (const { metadata } of committed) fellAt = Math.max(fellAt, marksIn(metadata).changelogFellAt ?? 0)
  for (const { rebuild } of resumed) if (rebuild) fellAt = Date.now()
  stats.set('changelogFellAt', fellAt)
}
