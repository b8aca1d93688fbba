/** The copies that primaries are: to a group while they are written, and to the instance when they are given up. */
import type { HeldCopy } from './copy-gauges.ts'
import type { WrittenEnd } from './ingest/partition-table.ts'
import { type Copy, copyOf } from './replica.ts'
import type { PrimaryParts } from './snapshots/primary-point.ts'

/** Returns undefined for a partition that is lost, or a replica. */
export function heldCopyOf({ ingest, ownership, recovered }: PrimaryParts, partition: number): HeldCopy | undefined {
  const position = ingest.changelogEnd(partition)
  if (position < 0) return undefined
  return { position, start: recovered.get(partition)!.changelogStart, term: ownership.term(partition) }
}

/** Returns the copy that a primary leaves in the map. @param leaderEpoch of the changelog, after it had reached an end */
export function leftCopyOf(
  { ownership, recovered }: PrimaryParts,
  partition: number,
  written: WrittenEnd,
  leaderEpoch: number | undefined,
): Copy {
  const term = ownership.term(partition)
  return { ...copyOf(recovered.get(partition)!, written, ownership.identity(partition), leaderEpoch), term }
}
