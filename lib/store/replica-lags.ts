/** Adds to lookups how far what was read is behind: of a replica, and in a group also of a primary. */
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { Assignment } from './assignment.ts'
import { replicaLag } from './partition-status.ts'
import { primaryLag, type PrimaryLease } from './primary-lease.ts'

/**
 * Returns the function that adds the lag as it is now, for the lookups of one request. It changes the lookup.
 *
 * @param knownMs as lagKnownMsOf()
 */
export function replicaLags(
  assignment: Assignment,
  stats: StatsView,
  knownMs: number,
  lease?: PrimaryLease,
): <T extends Lookup>(found: T) => T {
  if (lease === undefined && assignment.replicas.length === 0) return unchanged
  const isFresh = lease === undefined || lease.isFresh
  const known = new Map<number, number | null | undefined>()
  const lagOf = (partition: number) => {
    const role = stats.gauge(partition, 'role')
    if (lease === undefined ? role === 1 : role !== 0) return replicaLag(stats, partition, knownMs)
    return primaryLag(assignment, partition, isFresh)
  }
  return (found) => {
    const { partition } = found
    if (!known.has(partition)) known.set(partition, lagOf(partition))
    const lag = known.get(partition)
    if (lag !== undefined) found.replicaLag = lag
    return found
  }
}

function unchanged<T>(found: T): T {
  return found
}
