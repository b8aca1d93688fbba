/**
 * Restores a changelog that lost its tail from the map. Writes, in this order: tombstones for keys that the changelog
 * has and the map does not have; the map's records with source offsets above those in the changelog, ascending and
 * unchanged; the map's records without a source offset. The source is not read.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { ChiralMap } from '../../map/index.ts'
import type { Amendment } from '../ingest/amendment.ts'
import { AbsentKeys } from './absent-keys.ts'
import { keysWithoutOffset, nextKeys } from './in-order.ts'
import { WrittenTrail } from './written-trail.ts'

/** Maximum number of keys that are sorted at a time: some tens of megabytes. */
const keysMax = 200_000

export interface RepairInput {
  map: Pick<ChiralMap, 'has' | 'keysByOffset'>
  partition: number
  /** Reads what the changelog still has of what was written, and nothing else. */
  kept(): AsyncIterable<RecordBatchReader>
  /** Reads everything in the changelog. A topic that was recreated may contain records of other writers. */
  all(): AsyncIterable<RecordBatchReader>
  /** Source offset up to which the map has everything. */
  acknowledged: number
  /**
   * Whether the partition is being rebuilt. Then the source offsets in the changelog do not show what is missing, and
   * the whole map is written.
   */
  isRebuilt: boolean
  keysMax?: number
}

/** Numbers of records written. */
export interface Repaired {
  tombstones: number
  records: number
}

type Target = Pick<Amendment, 'isOver' | 'append' | 'appendTombstone'>

export async function repairFromMemory(amendment: Target, input: RepairInput): Promise<Repaired> {
  const { map, partition, acknowledged } = input
  const writtenUpTo = await reachOf(input.kept())
  const tombstones = await deleteAbsent(amendment, input, writtenUpTo)
  let records = 0
  let above = input.isRebuilt ? -1 : writtenUpTo
  while (!amendment.isOver) {
    const keys = await nextKeys(map, partition, above, input.keysMax ?? keysMax)
    if (keys.length === 0) break
    for (const { key } of keys) await amendment.append(key, acknowledged)
    records += keys.length
    above = keys.at(-1)!.offset
  }
  for await (const keys of keysWithoutOffset(map, partition)) {
    if (amendment.isOver) break
    for (const { key } of keys) await amendment.append(key, acknowledged)
    records += keys.length
  }
  return { tombstones, records }
}

/** Source offset up to which a part of the changelog has everything; -1 if unknown. */
export async function reachOf(batches: AsyncIterable<RecordBatchReader>): Promise<number> {
  const trail = new WrittenTrail()
  for await (const batch of batches) while (batch.nextRecord()) if (!batch.undecodable) trail.note(batch)
  return trail.upTo
}

async function deleteAbsent(amendment: Target, { map, partition, all }: RepairInput, after: number): Promise<number> {
  const absent = new AbsentKeys((key, start, length) => map.has(partition, key, start, length))
  let tombstones = 0
  const write = async () => {
    for (const key of absent.takeKeys()) {
      await amendment.appendTombstone(key, after)
      tombstones++
    }
  }
  for await (const batch of all()) {
    if (amendment.isOver) break
    while (batch.nextRecord()) if (!batch.undecodable) absent.note(batch)
    if (absent.isFull) await write()
  }
  await write()
  return tombstones
}
