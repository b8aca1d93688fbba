/**
 * The only way for a record to enter the map. Recovery and replicas use it for changelog batches, ingest for the batch
 * that the changelog has just acknowledged.
 */
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import type { ChiralMap } from '../map/index.ts'
import type { HeaderSelector } from '../store-protocol/kept-headers.ts'
import type { Stats } from '../store-protocol/stats.ts'

/** Receives each record that was put into the map. The batch reader is positioned at the record during the call. */
export interface RecordTrail {
  note(batch: RecordBatchReader, sourceOffset: number): void
  /** Called at the end of the batch, before its bytes are released. */
  settle(batch: RecordBatchReader): void
}

/**
 * Puts the records of an opened batch into the map, if there is one. Skips records before `position`.
 * @param trail notes source offsets during recovery
 * @param headerSelector puts headers before values if any headers are kept
 * @returns the number of records that were put
 */
export function applyRecords(
  map: ChiralMap | undefined,
  stats: Stats,
  partition: number,
  batch: RecordBatchReader,
  position: number,
  trail?: RecordTrail,
  headerSelector?: HeaderSelector,
): number {
  let applied = 0
  while (batch.nextRecord()) {
    if (batch.offset < position) continue
    if (batch.undecodable) stats.add('skippedUndecodable', 1)
    else if (batch.keyLength < 0) stats.add('skippedNullKey', 1)
    else {
      const sourceOffset = batch.sourceOffset()
      if (map !== undefined) putRecord(map, partition, batch, sourceOffset, headerSelector)
      trail?.note(batch, sourceOffset)
      applied++
    }
  }
  trail?.settle(batch)
  return applied
}

/** Puts the record at which the batch reader is positioned. The record must have a key. */
export function putRecord(
  map: ChiralMap,
  partition: number,
  batch: RecordBatchReader,
  sourceOffset: number,
  headerSelector?: HeaderSelector,
): void {
  if (headerSelector !== undefined) return headerSelector.put(map, partition, batch, sourceOffset)
  const { data, keyStart, keyLength, valueStart, valueLength, timestamp } = batch
  map.put(partition, data, keyStart, keyLength, valueStart, valueLength, sourceOffset, timestamp)
}

/**
 * Applies a late batch: one that an earlier owner wrote after its successor had written. A record is put only if the
 * map has no record of its key with a higher source offset.
 * @returns the number of records that were read
 */
export function applyLateRecords(
  map: ChiralMap,
  partition: number,
  batch: RecordBatchReader,
  position: number,
  trail: RecordTrail,
  headerSelector?: HeaderSelector,
): number {
  let records = 0
  while (batch.nextRecord()) {
    if (batch.offset < position || batch.undecodable || batch.keyLength < 0) continue
    records++
    const sourceOffset = batch.sourceOffset()
    const held = map.latest(partition, batch.data, batch.keyStart, batch.keyLength)
    if (held !== undefined && held.offset > sourceOffset) continue
    putRecord(map, partition, batch, sourceOffset, headerSelector)
    trail.note(batch, sourceOffset)
  }
  trail.settle(batch)
  return records
}
