/** Shows in the gauges, the counters and the log which snapshots there are. */
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import type { SnapshotFailure, SnapshotTaken } from '../../map/index.ts'
import type { SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'
import type { Stats } from '../../store-protocol/stats.ts'

const log = loggerOf('snapshot')

export interface ReportOptions {
  readonly stats: Stats
  readonly changelogTopic: string
  /** SNAPSHOT_SECONDS. */
  readonly seconds: number
}

export class SnapshotReport {
  readonly #options: ReportOptions
  readonly #repeated = new RepeatedLog(log)

  constructor(options: ReportOptions) {
    this.#options = options
  }

  /** The last snapshot of a partition is this one. */
  is(partition: number, { position, takenAt }: SnapshotFacts, { entries, bytes }: { entries: number; bytes: number }) {
    const { stats } = this.#options
    stats.setGauge(partition, 'snapshotPosition', position)
    stats.setGauge(partition, 'snapshotTakenAt', takenAt.local)
    stats.setGauge(partition, 'snapshotEntries', entries)
    stats.setGauge(partition, 'snapshotBytes', bytes)
  }

  taken(partition: number, facts: SnapshotFacts, taken: SnapshotTaken): void {
    const { stats } = this.#options
    const { entries, writtenBytes: bytes, totalBytes, seconds } = taken
    stats.add('snapshots', 1)
    stats.add('snapshotBytesWritten', bytes)
    this.is(partition, facts, { entries, bytes: totalBytes })
    stats.setGauge(partition, 'snapshotSeconds', Math.round(seconds * 1_000) / 1_000)
    const message = 'Partition {partition}: snapshot of {entries} entries, {bytes} bytes written in {seconds} s'
    log.debug(message, { partition, entries, bytes, seconds, position: facts.position })
  }

  /** @param isOff whether no more snapshots are taken */
  failed(partition: number, { reason, message: found }: SnapshotFailure, isOff: boolean): void {
    const { stats, changelogTopic, seconds } = this.#options
    stats.add('snapshotFailures', 1)
    const what = isOff
      ? 'No more snapshots are taken until the next start'
      : `The one before stays, and the next is tried in ${seconds} s`
    const message = 'Writing a snapshot of {changelogTopic} partition {partition}: {found}. {what}'
    this.#repeated.log('error', `failed ${reason}`, message, { changelogTopic, partition, found, what })
  }
}
