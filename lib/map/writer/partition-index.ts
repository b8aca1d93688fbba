/**
 * The index of all partitions, left and right. Applies operations to a side, and grows tables.
 *
 * During bulk loading a partition has one table, which no reader knows. Readers learn changes of a side only while that
 * side is unpublished, so a table needs no visibility flag.
 */
import { headerBytes, tombstone } from '../memory/entry.ts'
import type { Side } from '../memory/map-messages.ts'
import { locate } from '../memory/probe.ts'
import { createPartitionLog, type EntryLog, type PartitionLog } from './entry-log.ts'
import type { IndexTable } from './index-table.ts'
import type { Oplog } from './oplog.ts'
import type { SegmentAllocator } from './segment-allocator.ts'

/** Operations whose memory is fetched together [measured: 16 to 64 make no difference]. */
const touchBlock = 32

/**
 * absent: nothing in memory. bulk: one table, no oplog. opening: both tables, waits for a publish. live: readable. leaving:
 * takes no operations, waits for a publish.
 */
export type PartitionPhase = 'absent' | 'bulk' | 'opening' | 'live' | 'leaving'

/** A number of publish() calls that is never reached. */
export const never = Number.POSITIVE_INFINITY

export interface IndexPartition {
  readonly id: number
  readonly log: PartitionLog
  /** By side. Bulk loading uses only side 0. Empty while the partition is absent. */
  readonly tables: IndexTable[]
  state: PartitionPhase
  /** Number of publish() calls before the partition was opened, or removed. */
  openedAfter: number
  removedAfter: number
  /** Whether readers find it, on the unpublished side or on both. */
  isShown: boolean
  /** Entries that the table was made for while bulk loading. */
  reservedFor: number
}

export class PartitionIndex {
  readonly partitions: readonly IndexPartition[]
  readonly log: EntryLog
  readonly #allocator: SegmentAllocator
  readonly #candidates = new Int32Array(touchBlock)

  /** Every partition is absent. @param ids their numbers, in the order of their indexes */
  constructor(ids: readonly number[], log: EntryLog, allocator: SegmentAllocator) {
    this.log = log
    this.#allocator = allocator
    this.partitions = ids.map((id, index) => ({
      id,
      log: createPartitionLog(index),
      tables: [],
      state: 'absent',
      openedAfter: never,
      removedAfter: never,
      isShown: false,
      reservedFor: 0,
    }))
  }

  /** Sets the entry of a key. Returns the previous address, or 0. Throws memory_exhausted; then nothing has changed. */
  insert(
    partition: IndexPartition,
    side: Side,
    hash: number,
    key: Uint8Array,
    start: number,
    length: number,
    address: number,
  ): number {
    let table = partition.tables[side]!
    let slot = locate(table, this.log, hash, key, start, length)
    if (slot >= 0) {
      const displaced = table.addressAt(slot)
      table.replaceAt(slot, address)
      return displaced
    }
    if (table.count >= table.countMax) {
      table = this.#grow(partition, side)
      slot = locate(table, this.log, hash, key, start, length)
    }
    table.insertAt(~slot, hash, address)
    return 0
  }

  /** Removes a key. Returns the address of its entry, or 0. */
  remove(partition: IndexPartition, side: Side, hash: number, key: Uint8Array, start: number, length: number): number {
    const table = partition.tables[side]!
    const slot = locate(table, this.log, hash, key, start, length)
    if (slot < 0) return 0
    const displaced = table.addressAt(slot)
    table.removeAt(slot)
    return displaced
  }

  /**
   * Applies operations `from` to `to` to a side. The final absorb also declares the entries dead that no side leads
   * to any more.
   */
  absorb(oplog: Oplog, from: number, to: number, side: Side, final: boolean): void {
    const { segments, offsetBits, offsetMask } = this.log
    for (let operation = from; operation < to; operation++) {
      if ((operation - from) % touchBlock === 0) {
        this.#touch(oplog, operation, Math.min(operation + touchBlock, to), side)
      }
      const hash = oplog.hashAt(operation)
      const address = oplog.addressAt(operation)
      const segment = segments[address >>> offsetBits]!
      const partition = this.partitions[segment.owner]!
      const at = (address & offsetMask) << 3
      const keyLength = segment.words[at >>> 2]!
      let dead = 0
      if (segment.words[(at >>> 2) + 1] === tombstone) {
        dead = this.remove(partition, side, hash, segment.bytes, at + headerBytes, keyLength)
        if (final) this.log.markDead(partition.log, address)
      } else {
        dead = this.insert(partition, side, hash, segment.bytes, at + headerBytes, keyLength, address)
      }
      if (final && dead !== 0) this.log.markDead(partition.log, dead)
    }
  }

  /**
   * Brings the memory that absorbing these operations will read into the processor's cache. Read one after another,
   * each operation would wait for memory twice: for a slot, and for the entry that the slot leads to. Independent reads
   * wait together.
   */
  #touch(oplog: Oplog, from: number, to: number, side: Side): void {
    const { segments, offsetBits, offsetMask } = this.log
    const candidates = this.#candidates
    for (let operation = from; operation < to; operation++) {
      const hash = oplog.hashAt(operation)
      const partition = this.partitions[segments[oplog.addressAt(operation) >>> offsetBits]!.owner]!
      const { slots, shift } = partition.tables[side]!
      const slot = hash >>> shift
      candidates[operation - from] = slots[2 * slot] === hash ? slots[2 * slot + 1]! : 0
    }
    let read = 0
    for (let i = 0; i < to - from; i++) {
      const address = candidates[i]!
      if (address !== 0) read ^= segments[address >>> offsetBits]!.words[(address & offsetMask) << 1]!
    }
    // Stored so that the compiler cannot remove the reads.
    candidates[0] = read
  }

  /**
   * Replaces a table with a larger one. Readers may still hold views of the old table's memory, but no reader uses this
   * side before it has confirmed the new table.
   */
  #grow(partition: IndexPartition, side: Side): IndexTable {
    const table = partition.tables[side]!
    const grown = table.rebuilt(table.bits + 1, this.#allocator)
    partition.tables[side] = grown
    table.free(this.#allocator)
    return grown
  }
}
