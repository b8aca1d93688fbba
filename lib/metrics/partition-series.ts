/**
 * The series of each partition, read from the gauges in shared memory. Position, end and lag have no series
 * before they are known. All others exist in every configuration, so rules and dashboards find them.
 */
import { snapshotRefusals } from '../store-protocol/snapshot-refusal.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { GaugeName } from '../store-protocol/stats.ts'
import { partitionStates, type PartitionStatus } from '../store-protocol/status.ts'
import type { Sample, SeriesRegistry } from './series.ts'

/** @param read called once for each series; the partitions may be unknown at first */
export function registerPartitionSeries(
  series: SeriesRegistry,
  read: () => { stats: StatsView; details: readonly PartitionStatus[] },
): void {
  const gauge: PartitionGauge = (name, help, valueOf) => {
    series.gauge(`partition_${name}`, help, () => {
      const { stats } = read()
      const samples: Sample[] = []
      for (const partition of stats.partitions) {
        const value = valueOf(stats, partition)
        if (value >= 0) samples.push({ labels: { partition }, value })
      }
      return samples
    })
  }
  gauge('position', 'Next source offset to consume', (stats, partition) => stats.gauge(partition, 'position'))
  gauge('end_offset', 'Source offset after the last record', (stats, partition) => stats.gauge(partition, 'end'))
  gauge('committed_offset', 'Source offset committed; 0 before a commit, and of a replica', (stats, partition) => {
    return zeroIfUnknown(stats, partition, 'committed')
  })
  gauge('lag', 'Source offsets not consumed yet', lagOf)
  gauge('entries', 'Keys held', (stats, partition) => zeroIfUnknown(stats, partition, 'entries'))
  gauge('live_bytes', 'Bytes of the latest entries of all keys', (stats, partition) => {
    return zeroIfUnknown(stats, partition, 'liveBytes')
  })
  gauge('dead_bytes', 'Bytes of overwritten and deleted entries not cleaned yet', (stats, partition) => {
    const live = zeroIfUnknown(stats, partition, 'liveBytes')
    return Math.max(0, zeroIfUnknown(stats, partition, 'totalBytes') - live)
  })
  gauge('index_bytes', 'Bytes of the index of all keys', (stats, partition) => {
    return zeroIfUnknown(stats, partition, 'indexBytes')
  })
  gauge('recovery_ratio', 'Recovered part of the changelog by offsets, 0 to 1', recoveryRatio)
  registerSnapshotSeries(series, gauge, () => read().stats)
  series.gauge(
    'partition_trouble_since_seconds',
    'Start of a problem between a partition and a broker, in seconds since the epoch; 0 without one',
    () => {
      return read().details.flatMap(({ partition, troubles }): Sample[] => {
        if (troubles === undefined || troubles.length === 0) return [{ labels: { partition }, value: 0 }]
        return troubles.map(({ client, broker, since }) => {
          return { labels: { partition, client, broker: broker ?? '' }, value: Date.parse(since) / 1000 }
        })
      })
    },
  )
  series.gauge('partition_state', '1 for the state that the partition is in, 0 for the others', () => {
    return read().details.flatMap(({ partition, role, state }) => {
      return partitionStates.map((candidate) => {
        return { labels: { partition, role, state: candidate }, value: candidate === state ? 1 : 0 }
      })
    })
  })
}

type PartitionGauge = (name: string, help: string, valueOf: (stats: StatsView, partition: number) => number) => void

function registerSnapshotSeries(series: SeriesRegistry, gauge: PartitionGauge, read: () => StatsView): void {
  gauge('snapshot_position', 'Next changelog offset of the last snapshot; 0 without one', (stats, partition) => {
    return zeroIfUnknown(stats, partition, 'snapshotPosition')
  })
  gauge('snapshot_age_seconds', 'Age of the last snapshot; 0 without one', (stats, partition) => {
    const takenAt = stats.gauge(partition, 'snapshotTakenAt')
    return takenAt < 0 ? 0 : Math.max(0, (Date.now() - takenAt) / 1000)
  })
  gauge('snapshot_bytes', 'Bytes of the files of the last snapshot; 0 without one', (stats, partition) => {
    return zeroIfUnknown(stats, partition, 'snapshotBytes')
  })
  gauge('snapshot_seconds', 'Time that the last snapshot took; 0 before it', (stats, partition) => {
    return zeroIfUnknown(stats, partition, 'snapshotSeconds')
  })
  series.gauge('partition_snapshot_start', '1 with the reason why the start did not use a snapshot, or `used`', () => {
    const stats = read()
    return stats.partitions.flatMap((partition) => {
      const reason = snapshotRefusals[stats.gauge(partition, 'snapshotRefusal')]
      // Without SNAPSHOT_DIR, and before it is known.
      if (reason === undefined) return [{ labels: { partition, reason: 'none' }, value: 0 }]
      return [{ labels: { partition, reason }, value: 1 }]
    })
  })
}

function zeroIfUnknown(stats: StatsView, partition: number, name: GaugeName): number {
  return Math.max(0, stats.gauge(partition, name))
}

/** Returns -1 while unknown. The two gauges are not written together, so the difference may briefly be negative. */
function lagOf(stats: StatsView, partition: number): number {
  const position = stats.gauge(partition, 'position')
  const end = stats.gauge(partition, 'end')
  return position < 0 || end < 0 ? -1 : Math.max(0, end - position)
}

function recoveryRatio(stats: StatsView, partition: number): number {
  const start = stats.gauge(partition, 'recoveryStart')
  const position = stats.gauge(partition, 'recoveryPosition')
  const end = stats.gauge(partition, 'recoveryEnd')
  if (start < 0 || position < 0 || end < 0) return 0
  return end <= start ? 1 : Math.min(1, Math.max(0, (position - start) / (end - start)))
}
