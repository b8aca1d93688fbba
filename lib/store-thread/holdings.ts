/**
 * The roles of the partitions that a store thread holds. They change while the store runs. The two lists stay the same
 * arrays, so parts that follow the partitions of a role see the change.
 */
import type { StoreContext } from './store-context.ts'

export type Role = 'primary' | 'replica'

/** Gives a partition a role. */
export function setRole({ roles, stats }: Pick<StoreContext, 'roles' | 'stats'>, partition: number, role: Role): void {
  const { primaries, replicas } = roles
  const [from, to] = role === 'primary' ? [replicas, primaries] : [primaries, replicas]
  leave(from, partition)
  if (!to.includes(partition)) to.push(partition)
  to.sort((a, b) => a - b)
  stats.setGauge(partition, 'role', role === 'primary' ? 0 : 1)
}

/** Notes that a partition is not held any more. */
export function clearRole({ roles, stats }: Pick<StoreContext, 'roles' | 'stats'>, partition: number): void {
  leave(roles.primaries, partition)
  leave(roles.replicas, partition)
  stats.clear(partition)
}

function leave(partitions: number[], partition: number): void {
  const at = partitions.indexOf(partition)
  if (at >= 0) partitions.splice(at, 1)
}
