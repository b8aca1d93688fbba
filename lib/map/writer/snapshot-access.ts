/**
 * What snapshots do to the memory of a map: capture a live partition, and fill a partition in bulk loading. Snapshots
 * themselves are in lib/map/snapshot.
 */
import { LatchkeyError } from '../../errors.ts'
import { IndexTable } from './index-table.ts'
import type { Oplog } from './oplog.ts'
import type { IndexPartition, PartitionIndex } from './partition-index.ts'
import type { Publisher } from './publisher.ts'
import type { LogSegment, SegmentAllocator } from './segment-allocator.ts'

/** The accounting of a segment or run, as LogSegment has it, without the entries of waiting operations. */
export interface SegmentState {
  readonly number: number
  readonly used: number
  readonly run: number
  readonly sealed: boolean
  readonly liveBytes: number
  readonly allowance: number
}

export interface CapturedSegment extends SegmentState {
  readonly generation: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
}

/** A partition at the moment of the capture. */
export interface Capture {
  /** The table has 2^bits slots. */
  readonly bits: number
  readonly entries: number
  /** All segments with live entries, pinned. */
  readonly segments: readonly CapturedSegment[]
}

export class SnapshotAccess {
  readonly seed: readonly [number, number]
  readonly segmentBytes: number
  readonly #index: PartitionIndex
  readonly #allocator: SegmentAllocator
  readonly #publisher: Publisher

  constructor(
    index: PartitionIndex,
    allocator: SegmentAllocator,
    publisher: Publisher,
    seed: readonly [number, number],
  ) {
    this.seed = seed
    this.segmentBytes = allocator.segmentBytes
    this.#index = index
    this.#allocator = allocator
    this.#publisher = publisher
  }

  /**
   * Copies the table of a live partition between two publishes, and notes its segments. Pins them: their memory is not
   * used for anything else before unpin(). Rejects with internal for a partition that is not live, and as publish().
   * @param target returns where to copy a table of so many bytes to
   */
  capture(partition: number, target: (bytes: number) => Int32Array): Promise<Capture> {
    return this.#publisher.between((oplog, side) => {
      const held = this.#partition(partition, 'live')
      const table = held.tables[side]!
      target(table.slots.byteLength).set(table.slots)
      return { bits: table.bits, entries: table.count, segments: this.#pinSegments(held, oplog) }
    })
  }

  /** The memory of a segment is not used for anything else before unpin(). */
  pin(number: number): void {
    this.#allocator.segments[number]!.pinned = true
  }

  /** Ends the pin of a segment. */
  unpin(number: number): void {
    const allocator = this.#allocator
    allocator.unpin(allocator.segments[number]!)
  }

  /** Bytes of segments that would be free if they were not pinned. */
  get pinnedFreeBytes(): number {
    return this.#allocator.pinnedFreeBytes
  }

  /** Bytes of memory that the map has. */
  get touchedBytes(): number {
    return this.#allocator.touchedBytes
  }

  /** Returns the generation of a segment. Bytes below its `used` do not change until its generation does. */
  generationOf(number: number): number {
    return this.#allocator.segments[number]!.generation
  }

  /**
   * Returns memory for a segment of a partition in bulk loading that has no open segment yet, with its accounting. Throws
   * memory_exhausted; then nothing has changed.
   */
  addSegment(partition: number, state: SegmentState): LogSegment {
    const { log } = this.#partition(partition, 'bulk')
    const allocator = this.#allocator
    const segment = allocator.allocate(state.run, log.index)
    segment.used = state.used
    segment.sealed = state.sealed
    segment.liveBytes = state.liveBytes
    segment.allowance = state.allowance
    if (state.sealed) log.sealedBytes += state.run * allocator.segmentBytes
    else log.open = segment
    log.liveBytes += state.liveBytes
    log.allowance += state.allowance
    return segment
  }

  /** Returns an empty table for install() or discard(). Throws memory_exhausted. */
  createTable(bits: number): IndexTable {
    return new IndexTable(bits, this.#allocator)
  }

  /** Makes a table the one of a partition in bulk loading. Throws memory_exhausted; then nothing has changed. */
  install(partition: number, table: IndexTable): void {
    const { tables } = this.#partition(partition, 'bulk')
    const allocator = this.#allocator
    const [before] = tables
    const isLarger = before!.bits > table.bits
    tables[0] = isLarger ? table.rebuilt(before!.bits, allocator) : table
    before!.free(allocator)
    if (isLarger) table.free(allocator)
  }

  /** Frees a table that was not installed. */
  discard(table: IndexTable): void {
    table.free(this.#allocator)
  }

  #pinSegments({ log: { index } }: IndexPartition, oplog: Oplog): CapturedSegment[] {
    const waiting = this.#waitingBytes(index, oplog)
    const captured: CapturedSegment[] = []
    for (const segment of this.#allocator.segments) {
      if (segment.owner !== index || segment.used === 0) continue
      const { number, generation, used, run, sealed } = segment
      const { size, allowance } = waiting.get(number) ?? nothing
      const liveBytes = segment.liveBytes - size
      // No table leads to it.
      if (liveBytes === 0) continue
      segment.pinned = true
      const { buffer, byteOffset } = segment.bytes as Uint8Array<SharedArrayBuffer>
      const state = { number, used, run, sealed, liveBytes, allowance: segment.allowance - allowance }
      captured.push({ ...state, generation, buffer, byteOffset })
    }
    return captured
  }

  /**
   * Returns what the entries of waiting operations count for in the segments of a partition, by segment number. They
   * count as live, but no table has them.
   */
  #waitingBytes(owner: number, oplog: Oplog): ReadonlyMap<number, WaitingBytes> {
    const { log } = this.#index
    const waiting = new Map<number, WaitingBytes>()
    for (let operation = oplog.start; operation < oplog.end; operation++) {
      const address = oplog.addressAt(operation)
      const number = address >>> log.offsetBits
      if (log.segments[number]!.owner !== owner) continue
      const size = log.sizeAt(address)
      const before = waiting.get(number) ?? nothing
      waiting.set(number, { size: before.size + size, allowance: before.allowance + log.allowanceOf(size) })
    }
    return waiting
  }

  #partition(id: number, state: 'bulk' | 'live'): IndexPartition {
    const found = this.#index.partitions.find((partition) => partition.id === id)
    if (found?.state === state) return found
    const what = found === undefined ? 'the map does not hold it' : `it is ${found.state}`
    throw new LatchkeyError('internal', `access partition ${id}, which has to be ${state}, for a snapshot: ${what}`)
  }
}

interface WaitingBytes {
  readonly size: number
  readonly allowance: number
}

const nothing: WaitingBytes = { size: 0, allowance: 0 }
