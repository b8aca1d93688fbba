/** Read access to counters and gauges, of one store thread or of several together. */
import type { CounterName, GaugeName, Stats } from './stats.ts'

export interface StatsView {
  /** Partitions that are held now. */
  readonly partitions: readonly number[]
  /** Whether a partition is one of them. */
  holds(partition: number): boolean
  count(name: CounterName): number
  /** @throws RangeError for a partition that is not held */
  gauge(partition: number, name: GaugeName): number
}

/** Times: of several threads, the latest one counts. */
const times: ReadonlySet<CounterName> = new Set(['changelogFellAt'])

/** Sums counters. Gauges of a partition are those of the thread that has it in its layout. */
export function mergedStats(parts: readonly Stats[]): StatsView {
  const owners = new Map(parts.flatMap((stats) => stats.layout.map((partition) => [partition, stats] as const)))
  return {
    get partitions() {
      return parts.flatMap((stats) => stats.partitions).toSorted((a, b) => a - b)
    },
    holds(partition) {
      return owners.get(partition)?.holds(partition) === true
    },
    count(name) {
      const counts = parts.map((stats) => stats.count(name))
      return times.has(name) ? Math.max(0, ...counts) : counts.reduce((sum, count) => sum + count, 0)
    },
    gauge(partition, name) {
      const owner = owners.get(partition)
      if (owner === undefined) throw new RangeError(`Stats hold no partition ${partition}`)
      return owner.gauge(partition, name)
    },
  }
}
