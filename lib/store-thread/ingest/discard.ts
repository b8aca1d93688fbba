/**
 * Deletes the content of a partition, in the changelog first: its source was recreated, so the content is wrong, or it
 * is to be made again. The tombstones carry discardOffset as their source offset. A later recovery ignores all source
 * offsets before them.
 */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { commitOffsets, type CommittedOffset } from '../../kafka/offsets.ts'
import { loggerOf } from '../../log/index.ts'
import type { ChiralMap } from '../../map/index.ts'
import { beginPhase } from '../../store-protocol/recovery-phase.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import { nounFor } from '../../text/counted.ts'
import { groupOf } from '../../topics/clients.ts'
import { rebuildingMetadata } from '../../topics/completeness.ts'
import type { Recovered } from '../recovery/recovery.ts'
import type { Resume } from '../recovery/resume-decision.ts'
import { discardOffset } from '../recovery/source-trail.ts'
import type { StoreContext } from '../store-context.ts'
import type { Taken } from '../taking.ts'
import type { Ingest } from './ingest.ts'

/**
 * Notes in the group's commits which partitions are to be discarded and rebuilt. The process may be killed during the
 * rebuild, and until the next start compaction may remove the tombstones, and with them the information that keys are
 * missing.
 */
export async function noteRebuild(
  client: KafkaClient,
  config: StoreConfig,
  resumes: ReadonlyMap<number, Resume>,
  committed: ReadonlyMap<number, CommittedOffset>,
): Promise<void> {
  const offsets = new Map<number, number>()
  for (const [partition, { discard, position }] of resumes) {
    if (discard) offsets.set(partition, committed.get(partition)?.offset ?? position)
  }
  if (offsets.size > 0) await noteRebuildAt(client, config, offsets)
}

/** Commits the note with the offsets that stay committed. */
export async function noteRebuildAt(
  client: KafkaClient,
  config: StoreConfig,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const commits = new Map<number, CommittedOffset>()
  for (const [partition, offset] of offsets) commits.set(partition, { offset, metadata: rebuildingMetadata })
  await client.retryForever(() => commitOffsets(client, groupOf(config), config.sourceTopic, commits))
}

/** Discards every partition whose resume decision requires it, after noting that. */
export async function discardTaken(
  { clients, config, map, stats }: StoreContext,
  ingest: Ingest,
  { committed, recovered, resumed }: Taken,
): Promise<void> {
  const former = [...resumed].find(([, { discard }]) => discard)
  if (former !== undefined && config.useProcessingOnly) throw notDiscarded(config, ...former)
  await noteRebuild(clients.consumer, config, resumed, committed)
  await discardFormer(map, stats, ingest, resumed, recovered)
}

/** Discards every partition whose resume decision requires it. */
export async function discardFormer(
  map: ChiralMap,
  stats: Stats,
  ingest: Ingest,
  resumes: ReadonlyMap<number, Resume>,
  recovered: ReadonlyMap<number, Recovered>,
): Promise<void> {
  const partitions = [...resumes].filter(([, { discard }]) => discard).map(([partition]) => partition)
  for (const partition of partitions) {
    beginPhase(stats, partition, 'deleting', { start: 0, end: map.stats(partition).entries })
  }
  for (const partition of partitions) {
    const keys = await discardPartition(map, ingest, partition, recovered.get(partition)!.last?.key, (deleted) =>
      stats.setGauge(partition, 'phasePosition', deleted),
    )
    const message = `Partition {partition}: {keys} ${nounFor(keys, 'key')} deleted before it is rebuilt`
    loggerOf('store').warn(message, { partition, keys })
  }
}

function notDiscarded(
  { changelogTopic, sourceTopic }: StoreConfig,
  partition: number,
  { reason }: Resume,
): LatchkeyError {
  const advice = 'start it once without USE_PROCESSING_ONLY, which deletes them'
  const found = `the keys from before are still in ${changelogTopic}: ${advice}`
  return new LatchkeyError('store_failed', `Resuming ${sourceTopic} partition ${partition}: ${reason}, and ${found}`)
}

/**
 * Discards one partition. Resolves when the changelog has acknowledged the tombstones.
 * @param last key of the record with the highest source offset; its tombstone marks the discard even if no key is left
 * @param deleted called with the number of keys so far
 * @returns the number of keys
 */
async function discardPartition(
  map: ChiralMap,
  ingest: Ingest,
  partition: number,
  last: Uint8Array | undefined,
  deleted: (keys: number) => void,
): Promise<number> {
  const timestamp = Date.now()
  let keys = 0
  if (last !== undefined) ingest.appendTombstone(partition, last, timestamp, discardOffset)
  for (const key of map.keys(partition)) {
    keys++
    if (!ingest.appendTombstone(partition, key, timestamp, discardOffset)) continue
    deleted(keys)
    await ingest.room()
  }
  await ingest.settled(partition)
  deleted(keys)
  return keys
}
