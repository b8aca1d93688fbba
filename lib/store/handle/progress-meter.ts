/** How far recovery has come, its rate and what remains, from the shared counters. */
import { type StatsView } from '../../contract/stats-view.ts'
import { type RecoveryProgress } from '../../contract/status.ts'

export class ProgressMeter {
  #startedAt = performance.now()

  start(): void {
    this.#startedAt = performance.now()
  }

  read(stats: StatsView): RecoveryProgress {
    let done = 0
    let total = 0
    for (const partition of stats.partitions) {
      const start = Math.max(stats.gauge(partition, 'recoveryStart'), 0)
      done += Math.max(stats.gauge(partition, 'recoveryPosition') - start, 0)
      total += Math.max(stats.gauge(partition, 'recoveryEnd') - start, 0)
    }
    const seconds = (performance.now() - this.#startedAt) / 1000
    // A rebuild reads the source: its records count too.
    const records = stats.count('recordsRecovered') + stats.count('recordsConsumed')
    const offsetsPerSecond = done / Math.max(seconds, 0.001)
    return {
      records,
      bytes: stats.count('bytesRecovered') + stats.count('bytesConsumed'),
      recordsPerSecond: Math.round(records / Math.max(seconds, 0.001)),
      percent: total === 0 ? 0 : Math.min(Math.round((1000 * done) / total) / 10, 100),
      remainingSeconds: done === 0 ? null : Math.round((10 * Math.max(total - done, 0)) / offsetsPerSecond) / 10,
    }
  }
}
