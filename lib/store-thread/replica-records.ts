/** Applies what a replica reads. */
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import type { HeaderSelector } from '../store-protocol/kept-headers.ts'
import { applyLateRecords, applyRecords } from './apply.ts'
import { trailsOf } from './record-trails.ts'
import type { Replica } from './replica.ts'
import type { StoreContext } from './store-context.ts'

/** @returns the number of records that were applied */
export function applyToReplica(
  context: StoreContext,
  partition: number,
  replica: Replica,
  batch: RecordBatchReader,
  headerSelector: HeaderSelector | undefined,
): number {
  const { map, stats, snapshots, config } = context
  const { position, succession, trail } = replica
  const isLate = succession.isLate(batch)
  if (isLate) replica.isDisputed = true
  // A primary that began with a snapshot of this replica would not find the late records.
  if (isLate) void snapshots?.leave(partition)
  trail.recordBy(trailsOf(context, partition, 0))
  const { discardedAt } = trail.source
  // The primary corrects late records. Until then the replica shows no older value.
  const count = isLate
    ? applyLateRecords(map, partition, batch, position, trail, headerSelector)
    : applyRecords(map, stats, partition, batch, position, trail, headerSelector)
  // The primary deletes what it rebuilds, so keys are missing from here on. What it was before, no lookup sees any more.
  const isFormer = replica.filled && trail.source.discardedAt > discardedAt
  if (isFormer && config.elastic !== undefined) stats.setGauge(partition, 'hidden', 1)
  return count
}
