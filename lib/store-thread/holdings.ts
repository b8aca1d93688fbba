/**
 * The roles of the partitions that a store thread holds. They change while the store runs. The two lists stay the same
 * arrays, so parts that follow the partitions of a role see the change.
 */
import type { StoreContext } from './store-context.ts'

export type Role = 'primary' | 'replica'

/** Gives a partition that is held another role. */
export function setRole({ roles, stats }: Pick<StoreContext, 'roles' | 'stats'>, partition: number, role: Role): void {
  const { primaries, replicas } = roles
  const [from, to] = role === 'primary' ? [replicas, primaries] : [primaries, replicas]
  const at = from.indexOf(partition)
  if (at >= 0) from.splice(at, 1)
  if (!to.includes(partition)) to.push(partition)
  to.sort((a, b) => a - b)
  stats.setGauge(partition, 'role', role === 'primary' ? 0 : 1)
}
