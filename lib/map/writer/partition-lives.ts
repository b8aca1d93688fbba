/**
 * The life of each partition of a map: absent → bulk → opening → live → leaving → absent. Nothing of a partition is in
 * memory while it is absent. The exchange of a publish takes the tables of a leaving partition from both sides, as it
 * shows those of an opened one. Its memory is free when no reader can be inside any more.
 */
import { LatchkeyError } from '../../errors.ts'
import { tableBitsMax } from '../memory/limits.ts'
import type { Side } from '../memory/map-messages.ts'
import type { Announcements } from './announcements.ts'
import { IndexTable, tableBitsFor } from './index-table.ts'
import { type IndexPartition, never, type PartitionIndex } from './partition-index.ts'
import type { SegmentAllocator } from './segment-allocator.ts'

export class PartitionLives {
  readonly #index: PartitionIndex
  readonly #allocator: SegmentAllocator
  readonly #announcements: Announcements
  readonly #firstBits: number
  readonly #byId: (IndexPartition | undefined)[] = []

  /** @param firstBits bits of the first table of a partition */
  constructor(index: PartitionIndex, allocator: SegmentAllocator, announcements: Announcements, firstBits: number) {
    this.#index = index
    this.#allocator = allocator
    this.#announcements = announcements
    this.#firstBits = firstBits
    for (const partition of index.partitions) this.#byId[partition.id] = partition
  }

  /** Whether a partition is in memory: neither absent nor leaving. */
  holds(id: number): boolean {
    return isHeld(this.#byId[id])
  }

  /** Throws internal for a partition that is not in memory. */
  held(id: number): IndexPartition {
    const partition = this.#byId[id]
    if (isHeld(partition)) return partition!
    const held = this.#index.partitions.filter((one) => isHeld(one)).map((one) => one.id)
    const found = partition?.state === 'leaving' ? 'it is leaving' : `it holds ${held.join(', ')}`
    throw new LatchkeyError('internal', `find partition ${id} in the map: ${found}`)
  }

  /** Throws internal for a partition that is not bulk loading. */
  bulk(action: string, id: number): IndexPartition {
    const partition = this.held(id)
    if (partition.state === 'bulk') return partition
    const found = `it is ${partition.state}, which ends bulk loading`
    throw new LatchkeyError('internal', `${action} partition ${id}: ${found}`)
  }

  /** Begins bulk loading of an absent partition. Throws internal, or memory_exhausted; then nothing has changed. */
  add(id: number): void {
    const partition = this.#byId[id]
    if (partition?.state !== 'absent') {
      const found = partition === undefined ? 'the map was not made for it' : `it is ${partition.state}`
      throw new LatchkeyError('internal', `add partition ${id} to the map: ${found}`)
    }
    partition.tables.push(new IndexTable(this.#firstBits, this.#allocator))
    partition.state = 'bulk'
  }

  /**
   * Enlarges the table for `entries` in one step, because growing step by step would copy it repeatedly. Throws
   * memory_exhausted; then nothing has changed.
   */
  reserve(partition: IndexPartition, entries: number): void {
    const [table] = partition.tables
    partition.reservedFor = entries
    const bits = Math.min(tableBitsFor(entries), tableBitsMax)
    if (bits <= table!.bits) return
    partition.tables[0] =
      table!.count === 0 ? new IndexTable(bits, this.#allocator) : table!.rebuilt(bits, this.#allocator)
    table!.free(this.#allocator)
  }

  /**
   * Creates the second table of a partition. `calls` is the number of publish() calls so far. Throws memory_exhausted;
   * then nothing has changed.
   */
  open(partition: IndexPartition, calls: number): void {
    const [table] = partition.tables
    partition.tables[1] = table!.rebuilt(table!.bits, this.#allocator)
    partition.state = 'opening'
    partition.openedAfter = calls
  }

  /**
   * Ends the life of a partition: at once in bulk loading, since no reader knows it, otherwise with the next publish()
   * call. `calls` is the number of calls so far.
   */
  remove(partition: IndexPartition, calls: number): void {
    if (partition.state === 'bulk') return this.#vacate(partition)
    partition.state = 'leaving'
    partition.removedAfter = calls
  }

  /** Shows the partitions that were opened before publish() call number `call`. Returns whether there were any. */
  goLive(call: number): boolean {
    const opened = this.#index.partitions.filter(({ isShown, openedAfter }) => !isShown && openedAfter < call)
    for (const partition of opened) {
      partition.isShown = true
      if (partition.state === 'opening') partition.state = 'live'
    }
    return opened.length > 0
  }

  /** Returns the partitions that were removed before publish() call number `call`, and are not absent yet. */
  removed(call: number): IndexPartition[] {
    return this.#index.partitions.filter(({ removedAfter }) => removedAfter < call)
  }

  /**
   * Takes the tables of partitions from a side, which must be unpublished with no reader inside, and must have all
   * their operations. With `final` it is the second side: then nothing leads to their memory any more. Readers use a
   * side only after they have confirmed what was announced of it, so none has a view of a table that is used again.
   */
  withdraw(partitions: readonly IndexPartition[], side: Side, final: boolean): void {
    for (const partition of partitions) {
      partition.isShown = false
      const isKnown = partition.tables[side]!.version !== 0
      const partitionIndex = partition.log.index
      if (isKnown) this.#announcements.need(this.#announcements.announce({ kind: 'gone', side, partitionIndex }))
      if (final) this.#vacate(partition)
    }
  }

  /** Announces the new tables of a side to readers. The side must be unpublished, with no reader inside. */
  announceTables(side: Side): void {
    for (const { log, tables, isShown } of this.#index.partitions) {
      const table = tables[side]
      if (!isShown || table === undefined || table.version !== 0) continue
      const { slots, bits } = table
      const version = this.#announcements.announce({
        kind: 'table',
        side,
        partitionIndex: log.index,
        buffer: slots.buffer as SharedArrayBuffer,
        byteOffset: slots.byteOffset,
        bits,
      })
      table.announced(version)
      this.#announcements.need(version)
    }
  }

  #vacate(partition: IndexPartition): void {
    for (const table of partition.tables) table.free(this.#allocator)
    partition.tables.length = 0
    this.#index.log.clear(partition.log)
    partition.state = 'absent'
    partition.openedAfter = never
    partition.removedAfter = never
    partition.reservedFor = 0
    partition.isShown = false
  }
}

function isHeld(partition: IndexPartition | undefined): boolean {
  return partition !== undefined && partition.state !== 'absent' && partition.state !== 'leaving'
}
