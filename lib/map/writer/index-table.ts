/**
 * The index table of one partition on one side, as the writer changes it. probe.ts has the probing. Deletion shifts
 * entries back instead of leaving marks, so a table does not degrade. That is safe because no reader is inside the side
 * that changes.
 */
import { LatchkeyError } from '../../errors.ts'
import { tableBitsMax, tableBitsMin, tableLoadMax } from '../memory/limits.ts'
import type { TableView } from '../memory/probe.ts'
import { type LogSegment, ownerTable, type SegmentAllocator } from './segment-allocator.ts'

const slotBytes = 8

export class IndexTable implements TableView {
  readonly slots: Int32Array
  readonly shift: number
  readonly mask: number
  readonly bits: number
  /** Entries that fit before the table has to grow. */
  readonly countMax: number
  count = 0
  /** The segments of the table, if it is at least as large as a segment. */
  readonly run: LogSegment | undefined
  #version = 0

  /** Creates an empty table. Throws memory_exhausted. */
  constructor(bits: number, allocator: SegmentAllocator) {
    if (bits > tableBitsMax) {
      throw new LatchkeyError(
        'memory_exhausted',
        `grow an index table: it would have 2^${bits} slots, and the maximum is 2^${tableBitsMax}. Use more partitions`,
      )
    }
    const bytes = slotBytes * 2 ** bits
    if (bytes >= allocator.segmentBytes) {
      const count = bytes / allocator.segmentBytes
      this.run = allocator.allocate(count, ownerTable)
      this.slots = new Int32Array(this.run.bytes.buffer, this.run.bytes.byteOffset, bytes / 4)
      for (let i = 0; i < count; i++) {
        // New memory is already zero, and a write would commit it.
        const segment = allocator.segments[this.run.number + i]!
        if (segment.dirty) segment.words.fill(0, 0, allocator.segmentBytes / 4)
      }
    } else {
      this.slots = new Int32Array(allocator.smallTables.allocate(bytes))
    }
    this.bits = bits
    this.shift = 32 - bits
    this.mask = 2 ** bits - 1
    this.countMax = Math.floor(2 ** bits * tableLoadMax)
  }

  get bytes(): number {
    return this.slots.byteLength
  }

  /** Version of the message that announced the table; 0 before the announcement. */
  get version(): number {
    return this.#version
  }

  announced(version: number): void {
    this.#version = version
  }

  addressAt(slot: number): number {
    return this.slots[2 * slot + 1]!
  }

  replaceAt(slot: number, address: number): void {
    this.slots[2 * slot + 1] = address
  }

  /** Writes into an empty slot, where the probe for this hash ended. */
  insertAt(slot: number, hash: number, address: number): void {
    this.slots[2 * slot] = hash
    this.slots[2 * slot + 1] = address
    this.count++
  }

  /** Empties a slot, and moves back the entries that a probe from their home slot could otherwise no longer find. */
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

  /** Returns the slot that has this hash and address, or -1. Shows whether an entry is live without comparing keys. */
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

  /** Returns a table of 2^bits slots with the same content. Throws memory_exhausted; then nothing has changed. */
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

  /** Frees the memory of the table. No reader may be inside. */
  free(allocator: SegmentAllocator): void {
    if (this.run === undefined) allocator.smallTables.free(this.slots.buffer as SharedArrayBuffer)
    else allocator.free(this.run)
  }
}

/** Returns the bits of the smallest table that holds `count` entries without growing. */
export function tableBitsFor(count: number): number {
  let bits = 1
  while (Math.floor(2 ** bits * tableLoadMax) < count) bits++
  return bits
}

/** Returns the bytes of the smallest table that holds `count` entries without growing. */
export function tableBytesFor(count: number): number {
  return slotBytes * tableSlotsFor(count)
}

/** Returns the slots of the same table. */
export function tableSlotsFor(count: number): number {
  return 2 ** Math.max(tableBitsMin, tableBitsFor(count))
}
