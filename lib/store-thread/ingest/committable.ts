/** Computes the source offsets that may be committed now. */
import type { Repairs } from '../repair/repairs.ts'
import type { CatchUp } from './catch-up.ts'
import type { CommitMetadata } from './commit-metadata.ts'
import type { CommitSource } from './committer.ts'
import type { Ingest } from './ingest.ts'

/**
 * Leaves out partitions that are being rebuilt or repaired, because a commit states that the changelog is complete, and
 * lost partitions.
 */
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

/** Returns what a Committer commits. @param acknowledged returns the result of committable() */
export function commitSource(acknowledged: () => Map<number, number>, metadata: CommitMetadata): CommitSource {
  return { acknowledged, metadata: (partition, offset) => metadata.of(partition, offset) }
}
