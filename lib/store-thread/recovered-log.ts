/** Logs what a recovery has read, and what a snapshot would save. */
import { loggerOf } from '../log/index.ts'
import { snapshotPathOf } from '../store-protocol/store-config.ts'
import { nounFor } from '../text/counted.ts'
import type { RestoredSnapshot } from './recovery/restored-snapshot.ts'
import type { StoreContext } from './store-context.ts'

const log = loggerOf('store')

/** Entries from which on the log names SNAPSHOT_DIR. */
const entriesWorthSnapshots = 1_000_000

/** @param restored snapshots with which primary partitions began */
export function logRecovered(
  { config, stats, roles }: StoreContext,
  restored: readonly RestoredSnapshot[],
  elapsed: number,
): void {
  const { primaries } = roles
  if (primaries.length === 0) return
  const took = Math.max(elapsed, 0.001)
  const records = stats.count('recordsRecovered')
  const { changelogTopic } = config
  if (records === 0 && restored.length === 0) {
    return log.info('Changelog {changelogTopic} is empty, nothing to recover', { changelogTopic })
  }
  const entries = primaries.reduce((sum, partition) => sum + Math.max(stats.gauge(partition, 'entries'), 0), 0)
  const seconds = Math.round(took * 100) / 100
  const entryNoun = nounFor(entries, 'entry', 'entries')
  const recordNoun = nounFor(records, 'record')
  if (restored.length > 0) {
    const age = Math.round(Math.max(...restored.map(({ ageMs }) => ageMs)) / 1000)
    const isAll = restored.length === primaries.length
    const snapshot = isAll
      ? `a snapshot of ${age} s ago`
      : `snapshots of ${age} s ago (${restored.length} of ${primaries.length} partitions)`
    const message = `Recovered {entries} ${entryNoun} from {snapshot} and {records} changelog ${recordNoun} in {seconds} s`
    return log.info(message, { entries, snapshot, records, seconds })
  }
  const rate = Math.round(records / took)
  const message = `Recovered {entries} ${entryNoun} from {records} changelog ${recordNoun} in {seconds} s ({rate} records/s)`
  log.info(message, { entries, records, seconds, rate })
  if (entries < entriesWorthSnapshots || snapshotPathOf(config) !== undefined) return
  const advice =
    'With SNAPSHOT_DIR the next start reads {entries} entries from local files, in a fraction of these {seconds} s'
  log.info(advice, { entries, seconds })
}
