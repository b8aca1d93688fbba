/** The order of partitions in a status event: those that need attention first, then by number. */
import type { PartitionState, PartitionStatus } from '../../store-protocol/status.ts'

/** From the most urgent on. A running partition comes after all of them. */
const urgent: readonly PartitionState[] = [
  'failed',
  'halted',
  'fenced',
  'contested',
  'full',
  'rebuilding',
  'recovering',
  'starting',
  'repairing',
]
/** A partition that is further behind comes before the others. Less is usual: the rows would change places all the time. */
const lagUsual = 1_000

export function byAttention(one: PartitionStatus, other: PartitionStatus): number {
  return rankOf(one) - rankOf(other) || one.partition - other.partition
}

function rankOf({ state, reason, lag }: PartitionStatus): number {
  const rank = urgent.indexOf(state)
  if (rank >= 0) return rank
  if (reason !== undefined) return urgent.length
  return urgent.length + ((lag ?? 0) > lagUsual ? 1 : 2)
}
