/** What follows the records of a batch that enter the map. */
import type { RecordTrail } from './apply.ts'
import type { StoreContext } from './store-context.ts'

/**
 * @param base changelog offset of the record at offset 0 of the batch; -1 if the broker has not named it
 * @param likely that offset, as far as it is known
 */
export function trailsOf(
  { changes, strangers, snapshots }: Pick<StoreContext, 'changes' | 'strangers' | 'snapshots'>,
  partition: number,
  base: number,
  likely = base,
): RecordTrail | undefined {
  const recording = changes.recorder.trailOf(partition, base)
  const trail = strangers === undefined ? recording : strangers.trailOf(partition, recording)
  return snapshots === undefined ? trail : snapshots.trailOf(partition, likely, trail)
}
