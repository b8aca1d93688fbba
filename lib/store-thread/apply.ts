/**
 * The one way of a record into memory, whether it comes from the changelog in recovery, from the changelog for a replica, or from the batch
 * that the changelog has just acknowledged.
 */
import { type RecordBatchReader } from '../kafka/record-batch/index.ts'
import { type ChiralMap } from '../map/index.ts'
import { type KeptHeaders } from '../store-protocol/kept-headers.ts'
import { type Stats } from '../store-protocol/stats.ts'

/** Is told of each record that has been put, while the batch stands at it. */
export interface RecordTrail {
  note(batch: RecordBatchReader, sourceOffset: number): void
  /** The batch is over, and its bytes may go. */
  settle(batch: RecordBatchReader): void
}

/**
 * Puts the records of an opened batch into the map, if there is one, those before `position` excepted.
 * @param trail where source offsets are noted, in recovery
 * @param kept puts headers before values, where any are kept
 * @returns how many there were
 */
export function applyRecords(
  map: ChiralMap | undefined,
  stats: Stats,
  partition: number,
  batch: RecordBatchReader,
  position: number,
  trail?: RecordTrail,
  kept?: KeptHeaders,
): number {
  let applied = 0
  while (batch.nextRecord()) {
    if (batch.offset < position) continue
    if (batch.undecodable) stats.add('skippedUndecodable', 1)
    else if (batch.keyLength < 0) stats.add('skippedNullKey', 1)
    else {
      const sourceOffset = batch.sourceOffset()
      if (map !== undefined) putRecord(map, partition, batch, sourceOffset, kept)
      trail?.note(batch, sourceOffset)
      applied++
    }
  }
  trail?.settle(batch)
  return applied
}

/** Puts the record that the batch stands at, which has a key. */
export function putRecord(
  map: ChiralMap,
  partition: number,
  batch: RecordBatchReader,
  sourceOffset: number,
  kept?: KeptHeaders,
): void {
  if (kept !== undefined) return kept.put(map, partition, batch, sourceOffset)
  const { data, keyStart, keyLength, valueStart, valueLength, timestamp } = batch
  map.put(partition, data, keyStart, keyLength, valueStart, valueLength, sourceOffset, timestamp)
}

/**
 * The records of an opened batch that an owner of before has written behind those of its successor: they are put where memory has nothing of a higher
 * source offset.
 * @returns how many there were
 */
export function applyLateRecords(
  map: ChiralMap,
  partition: number,
  batch: RecordBatchReader,
  position: number,
  kept?: KeptHeaders,
): number {
  let records = 0
  while (batch.nextRecord()) {
    if (batch.offset < position || batch.undecodable || batch.keyLength < 0) continue
    records++
    const sourceOffset = batch.sourceOffset()
    const held = map.latest(partition, batch.data, batch.keyStart, batch.keyLength)
    if (held === undefined || held.offset <= sourceOffset) putRecord(map, partition, batch, sourceOffset, kept)
  }
  return records
}
