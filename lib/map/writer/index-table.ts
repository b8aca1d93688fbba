/**
 * One index table of one partition on one side, as the writer changes it. Probing is in probe.ts. Deletion shifts entries back
 * instead of leaving marks, so that a table does not wear out; that is safe because no reader is inside the side being changed.
 */
import { LatchkeyError } from '../../errors.ts'
import { tableBitsMax, tableLoadMax } from '../memory/limits.ts'
import type { TableView } from '../memory/probe.ts'
import { type LogSegment, type SegmentAllocator, ownerTable } from './segment-allocator.ts'

const slotBytes = 8

export class IndexTable implements TableView {
  readonly slots: Int32Array
  readonly shift: number
  readonly mask: number
  readonly bits: number
  /** Entries that may be in before it has to grow. */
  readonly countMax: number
  count = 0
  /** Version of the message that announced it; 0 while readers do not know it. */
  version = 0
  /** The segments it lies in, if it is at least one segment large. */
  readonly run: LogSegment | undefined

  /** Empty. Throws memory_exhausted. */
  constructor(bits: number, allocator: SegmentAllocator) {
    if (bits > tableBitsMax) {
      throw new LatchkeyError(
        'memory_exhausted',
        `grow an index table: it would have 2^${bits} slots, 2^${tableBitsMax} is the most a partition can have; use more partitions`,
      )
    }
    const bytes = slotBytes * 2 ** bits
    if (bytes >= allocator.segmentBytes) {
      const count = bytes / allocator.segmentBytes
      this.run = allocator.take(count, ownerTable)
      this.slots = new Int32Array(this.run.bytes.buffer, this.run.bytes.byteOffset, bytes / 4)
      for (let i = 0; i < count; i++) {
        // Fresh memory is zero already, and writing to it would commit it.
        const segment = allocator.segments[this.run.number + i]!
        if (segment.dirty) segment.words.fill(0, 0, allocator.segmentBytes / 4)
      }
    } else {
      this.slots = new Int32Array(new SharedArrayBuffer(bytes))
    }
    this.bits = bits
    this.shift = 32 - bits
    this.mask = 2 ** bits - 1
    this.countMax = Math.floor(2 ** bits * tableLoadMax)
  }

  addressAt(slot: number): number {
    return this.slots[2 * slot + 1]!
  }

  replaceAt(slot: number, address: number): void {
    this.slots[2 * slot + 1] = address
  }

  /** Into an empty slot that probing for this hash ended at. */
  insertAt(slot: number, hash: number, address: number): void {
    this.slots[2 * slot] = hash
    this.slots[2 * slot + 1] = address
    this.count++
  }

  /** Moves back whatever could then no longer be found from its home slot. */
  removeAt(slot: number): void {
    const { slots, mask, shift } = this
    let hole = slot
    let next = (hole + 1) & mask
    while (slots[2 * next + 1] !== 0) {
      const home = slots[2 * next]! >>> shift
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[2 * hole] = slots[2 * next]!
        slots[2 * hole + 1] = slots[2 * next + 1]!
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[2 * hole] = 0
    slots[2 * hole + 1] = 0
    this.count--
  }

  /** The slot that has this hash and address, -1 if none: whether an entry is live, without comparing keys. */
  slotOf(hash: number, address: number): number {
    const { slots, mask } = this
    let slot = hash >>> this.shift
    for (;;) {
      const found = slots[2 * slot + 1]!
      if (found === address) return slot
      if (found === 0) return -1
      slot = (slot + 1) & mask
    }
  }

  /** A table of 2^bits slots with the same content. Throws memory_exhausted; then nothing has changed. */
  rebuilt(bits: number, allocator: SegmentAllocator): IndexTable {
    const table = new IndexTable(bits, allocator)
    table.count = this.count
    if (bits === this.bits) {
      table.slots.set(this.slots)
      return table
    }
    const { slots } = this
    const { slots: target, shift, mask } = table
    for (let i = 0; i < slots.length; i += 2) {
      const address = slots[i + 1]!
      if (address === 0) continue
      let slot = slots[i]! >>> shift
      while (target[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      target[2 * slot] = slots[i]!
      target[2 * slot + 1] = address
    }
    return table
  }

  clear(): void {
    this.slots.fill(0)
    this.count = 0
  }

  /** Gives its segments back. No reader may be inside. */
  free(allocator: SegmentAllocator): void {
    if (this.run !== undefined) allocator.give(this.run)
  }
}

/** Smallest table that takes `count` entries without growing. */
export function tableBitsFor(count: number): number {
  let bits = 1
  while (Math.floor(2 ** bits * tableLoadMax) < count) bits++
  return bits
}
