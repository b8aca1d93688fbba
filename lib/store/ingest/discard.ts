/**
 * Deletes what a partition holds, in the changelog first: its source was recreated, so none of it is true any more. The tombstones carry
 * a source offset of their own, by which a later recovery knows that what lies before them counts no longer.
 */
import { type ChiralMap } from '../../map/index.ts'
import { type Ingest } from './ingest.ts'
import { loggerOf } from '../../log.ts'
import { type Recovered } from '../recovery/recovery.ts'
import { type Resume } from '../recovery/resume.ts'
import { discardOffset } from '../recovery/source-trail.ts'

/** Discards every partition whose resume asks for it. */
export async function discardFormer(
  map: ChiralMap,
  ingest: Ingest,
  resumes: ReadonlyMap<number, Resume>,
  recovered: ReadonlyMap<number, Recovered>,
): Promise<void> {
  for (const [partition, { discard }] of resumes) {
    if (!discard) continue
    const keys = await discardPartition(map, ingest, partition, recovered.get(partition)!.last?.key)
    loggerOf('store').warn('Partition {partition}: {keys} keys of the former source topic deleted', { partition, keys })
  }
}

/**
 * Resolves when the changelog has acknowledged the tombstones.
 * @param last key of the record with the highest source offset: a tombstone of it marks the discard also where no key is left
 * @returns how many keys there were
 */
async function discardPartition(
  map: ChiralMap,
  ingest: Ingest,
  partition: number,
  last: Uint8Array | undefined,
): Promise<number> {
  const timestamp = Date.now()
  let keys = 0
  let batch = ingest.takeBatch()
  if (last !== undefined) batch.builder.append(last, 0, last.length, 0, -1, timestamp, discardOffset)
  for (const key of map.keys(partition)) {
    while (!batch.builder.append(key, 0, key.length, 0, -1, timestamp, discardOffset)) {
      ingest.enqueue(partition, batch)
      batch = ingest.takeBatch()
      await ingest.room()
    }
    keys++
  }
  if (batch.count > 0) ingest.enqueue(partition, batch)
  await ingest.settled(partition)
  return keys
}
