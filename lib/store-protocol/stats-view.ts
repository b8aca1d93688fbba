/** Read access to counters and gauges, of one store thread or of several together. */
import type { CounterName, GaugeName, Stats } from './stats.ts'

export interface StatsView {
  readonly partitions: readonly number[]
  count(name: CounterName): number
  /** @throws RangeError for a partition that is not held */
  gauge(partition: number, name: GaugeName): number
}

/** Sums counters. Gauges of a partition are those of the thread that holds it. */
export function mergedStats(parts: readonly Stats[]): StatsView {
  const owners = new Map(parts.flatMap((stats) => stats.partitions.map((partition) => [partition, stats] as const)))
  return {
    partitions: [...owners.keys()].toSorted((a, b) => a - b),
    count: (name) => parts.reduce((sum, stats) => sum + stats.count(name), 0),
    gauge(partition, name) {
      const owner = owners.get(partition)
      if (owner === undefined) throw new RangeError(`Stats hold no partition ${partition}`)
      return owner.gauge(partition, name)
    },
  }
}
