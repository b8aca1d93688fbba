/** Up to where each partition may be committed now. */
import { type Repairs } from '../repair/repairs.ts'
import { type CatchUp } from './catch-up.ts'
import { type Ingest } from './ingest.ts'

/** Not while a partition is rebuilt or repaired: a commit would state that it is complete. Nor one that is lost. */
export function committable(
  partitions: readonly number[],
  ingest: Pick<Ingest, 'acknowledged'>,
  catchUp: Pick<CatchUp, 'rebuilds'>,
  repairs: Pick<Repairs, 'isRepairing'>,
): Map<number, number> {
  const offsets = new Map<number, number>()
  for (const partition of partitions) {
    const acknowledged = ingest.acknowledged(partition)
    if (acknowledged < 0 || catchUp.rebuilds(partition) || repairs.isRepairing(partition)) continue
    offsets.set(partition, acknowledged)
  }
  return offsets
}
