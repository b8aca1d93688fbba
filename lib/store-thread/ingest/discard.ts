/**
 * Deletes what a partition holds, in the changelog first: its source was recreated, so none of it is true any more, or it is to be made anew.
 * The tombstones carry a source offset of their own, by which a later recovery knows that what lies before them counts no longer.
 */
import { type KafkaClient } from '../../kafka/client.ts'
import { commitOffsets, type CommittedOffset } from '../../kafka/offsets.ts'
import { beginPhase } from '../../store-protocol/recovery-phase.ts'
import { type Stats } from '../../store-protocol/stats.ts'
import { type ChiralMap } from '../../map/index.ts'
import { type Ingest } from './ingest.ts'
import { loggerOf } from '../../log/index.ts'
import { type StoreConfig } from '../../store-protocol/store-config.ts'
import { groupOf } from '../../topics/clients.ts'
import { rebuildingMetadata } from '../../topics/completeness.ts'
import { type Recovered } from '../recovery/recovery.ts'
import { type Resume } from '../recovery/resume.ts'
import { discardOffset } from '../recovery/source-trail.ts'

/**
 * Notes with the group which partitions are to be discarded and rebuilt. Whoever does so may be killed in the midst of it, and by the next
 * start the tombstones may have been compacted away, and with them what tells that keys are missing.
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

/** Notes it with the offsets that stay committed. */
export async function noteRebuildAt(
  client: KafkaClient,
  config: StoreConfig,
  offsets: ReadonlyMap<number, number>,
): Promise<void> {
  const commits = new Map<number, CommittedOffset>()
  for (const [partition, offset] of offsets) commits.set(partition, { offset, metadata: rebuildingMetadata })
  await client.persist(() => commitOffsets(client, groupOf(config), config.sourceTopic, commits))
}

/** Discards every partition whose resume asks for it. */
export async function discardFormer(
  map: ChiralMap,
  stats: Stats,
  ingest: Ingest,
  resumes: ReadonlyMap<number, Resume>,
  recovered: ReadonlyMap<number, Recovered>,
): Promise<void> {
  const partitions = [...resumes].filter(([, { discard }]) => discard).map(([partition]) => partition)
  for (const partition of partitions)
    beginPhase(stats, partition, 'deleting', { start: 0, end: map.stats(partition).entries })
  for (const partition of partitions) {
    const keys = await discardPartition(map, ingest, partition, recovered.get(partition)!.last?.key, (deleted) =>
      stats.setGauge(partition, 'phasePosition', deleted),
    )
    loggerOf('store').warn('Partition {partition}: {keys} keys deleted before it is rebuilt', { partition, keys })
  }
}

/**
 * Resolves when the changelog has acknowledged the tombstones.
 * @param deleted is told how many keys there were up to now
 * @param last key of the record with the highest source offset: a tombstone of it marks the discard also where no key is left
 * @returns how many keys there were
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
  let batch = ingest.takeBatch()
  if (last !== undefined) batch.builder.append(last, 0, last.length, 0, -1, timestamp, discardOffset)
  for (const key of map.keys(partition)) {
    while (!batch.builder.append(key, 0, key.length, 0, -1, timestamp, discardOffset)) {
      ingest.enqueue(partition, batch)
      batch = ingest.takeBatch()
      deleted(keys)
      await ingest.room()
    }
    keys++
  }
  if (batch.count > 0) ingest.enqueue(partition, batch)
  await ingest.settled(partition)
  deleted(keys)
  return keys
}
