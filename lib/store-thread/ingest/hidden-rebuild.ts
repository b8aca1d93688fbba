/**
 * A partition that is taken while the store runs, and that has to be discarded, shows nothing until it is rebuilt: as at
 * a start, where nothing is served until then. Only where partitions come and go.
 */
import { isHidden } from '../../store-protocol/partition-state.ts'
import type { Resume } from '../recovery/resume-decision.ts'
import type { StoreContext } from '../store-context.ts'

type HidingContext = Pick<StoreContext, 'stats' | 'post' | 'config'>

/** To be called before the partition counts as a primary. */
export function hideFormer(
  { stats, config }: HidingContext,
  partition: number,
  { discard }: Pick<Resume, 'discard'>,
): void {
  stats.setGauge(partition, 'hidden', discard && config.elastic !== undefined ? 1 : 0)
}

/** To be called when the partition is a primary. */
export function reportHidden({ stats, post, config }: HidingContext, partition: number, { reason }: Resume): void {
  if (!isHidden(stats, partition)) return
  const found = `${config.sourceTopic} partition ${partition}: it is read again from its start, because ${reason}`
  post({ type: 'rebuilding', partition, reason: found })
}

/** To be called when the new contents are visible. */
export function showRebuilt({ stats, post }: HidingContext, partition: number): void {
  if (!isHidden(stats, partition)) return
  stats.setGauge(partition, 'hidden', 0)
  post({ type: 'rebuilt', partition })
}
