/** What a map takes of the memory of the process, and what it will take next. */
import { bulkTableNearlyFull, tableBitsMax, tableLoadMax, tableNearlyFull } from '../memory/limits.ts'
import { tableBytesFor, tableSlotsFor } from './index-table.ts'
import type { Oplog } from './oplog.ts'
import type { IndexPartition } from './partition-index.ts'
import type { SegmentAllocator } from './segment-allocator.ts'

/** Sizes in bytes. liveBytes bounds totalBytes: see DESIGN.md, Memory. */
export interface PartitionStats {
  readonly entries: number
  readonly liveBytes: number
  readonly totalBytes: number
  /** Index tables of both sides. */
  readonly indexBytes: number
}

/** Sizes in bytes. */
export interface MapMemory {
  /** Segments and tables in use, the open segments as far as they are filled, and the oplog. */
  readonly usedBytes: number
  /** Segments that were in use before and are free. They stay resident. */
  readonly freeBytes: number
  /** Second tables that open() will make for the partitions in bulk loading. */
  readonly openingBytes: number
  /** New tables for both sides of the partitions whose tables are about to double. */
  readonly growthBytes: number
}

export function memoryOf(
  partitions: readonly IndexPartition[],
  allocator: SegmentAllocator,
  { capacityBytes }: Oplog,
): MapMemory {
  let unusedBytes = 0
  let openingBytes = 0
  let growthBytes = 0
  for (const partition of partitions) {
    const { open } = partition.log
    if (open !== undefined && !open.dirty) unusedBytes += allocator.segmentBytes - open.used
    if (partition.tables.length === 1) openingBytes += partition.tables[0]!.bytes
    growthBytes += growthOf(partition)
  }
  const freeBytes = allocator.freeTouchedBytes
  const usedBytes = allocator.touchedBytes - freeBytes - unusedBytes + capacityBytes
  return { usedBytes, freeBytes, openingBytes, growthBytes }
}

/** Returns the growthBytes of an open partition whose tables were made for its `count` entries. */
export function growthBytesFor(count: number): number {
  const slots = tableSlotsFor(count)
  const isGrowing = slots < 2 ** tableBitsMax && count >= Math.floor(slots * tableLoadMax) * tableNearlyFull
  return isGrowing ? 4 * tableBytesFor(count) : 0
}

/** Returns the bytes of the new tables of both sides, or 0 if a partition is not about to grow. */
function growthOf({ tables, state, reservedFor }: IndexPartition): number {
  const [table] = tables
  if (table === undefined) return 0
  const { bits, bytes, count, countMax } = table
  const isReserved = state === 'bulk' && count <= reservedFor
  const nearlyFull = state === 'bulk' ? bulkTableNearlyFull : tableNearlyFull
  if (isReserved || bits === tableBitsMax || count < countMax * nearlyFull) return 0
  return 4 * bytes
}
