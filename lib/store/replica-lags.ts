/** Adds to lookups from a replica how far it is behind. */
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { Assignment } from './assignment.ts'
import { replicaLag } from './partition-status.ts'

/** Returns the function that adds the lag as it is now, for the lookups of one request. It changes the lookup. */
export function replicaLags({ replicas }: Assignment, stats: StatsView): <T extends Lookup>(found: T) => T {
  if (replicas.length === 0) return unchanged
  const known = new Map<number, number | null>()
  return (found) => {
    const { partition } = found
    if (stats.gauge(partition, 'role') !== 1) return found
    if (!known.has(partition)) known.set(partition, replicaLag(stats, partition))
    found.replicaLag = known.get(partition)!
    return found
  }
}

function unchanged<T>(found: T): T {
  return found
}
