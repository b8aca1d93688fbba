/**
 * The entry log of all partitions of a map. Appends entries and accounts for the live ones.
 *
 * Each partition appends to its own open segment. So accounting, cleaning and a later scan of one partition only
 * concern its segments. A segment whose live bytes reach 0 is free at once: the caller declares an entry dead only when
 * no reader can reach it any more.
 */
import { entryBytes, headerBytes, type LogView, offsetBitsOf, segmentDataStart } from '../memory/entry.ts'
import {
  allowanceFloorSegments,
  allowancePerByte,
  allowancePerLargeByte,
  largeEntryShare,
  tightBoundScale,
} from '../memory/limits.ts'
import type { LogSegment, SegmentAllocator } from './segment-allocator.ts'

/**
 * Up to this length a loop copies faster than a native call: 7 ns for 11 bytes against 15 [measured,
 * test/bench/map.ts].
 */
const loopLengthMax = 16

/** The log of one partition. Sizes in bytes. */
export interface PartitionLog {
  /** Owner number in its segments. */
  readonly index: number
  open: LogSegment | undefined
  /** Bytes of sealed segments and runs, which are compared with the allowance. */
  sealedBytes: number
  liveBytes: number
  allowance: number
}

export function createPartitionLog(index: number): PartitionLog {
  return { index, open: undefined, sealedBytes: 0, liveBytes: 0, allowance: 0 }
}

export class EntryLog implements LogView {
  readonly segments: readonly LogSegment[]
  readonly offsetBits: number
  readonly offsetMask: number
  readonly #allocator: SegmentAllocator
  readonly #segmentBytes: number
  readonly #largeBytesMin: number
  #boundScale = 1

  constructor(allocator: SegmentAllocator) {
    this.segments = allocator.segments
    this.#allocator = allocator
    this.#segmentBytes = allocator.segmentBytes
    this.offsetBits = offsetBitsOf(allocator.segmentBytes)
    this.offsetMask = 2 ** this.offsetBits - 1
    this.#largeBytesMin = allocator.segmentBytes * largeEntryShare
  }

  /**
   * Appends an entry and returns its address. The entry counts as live until `die`. The caller has checked the ranges.
   * Throws memory_exhausted; then nothing has changed.
   */
  append(
    log: PartitionLog,
    source: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    offset: number,
    timestamp: number,
  ): number {
    const size = entryBytes(keyLength, valueLength)
    let segment = log.open
    if (segment === undefined || segment.used + size > this.#segmentBytes) segment = this.#makeRoom(log, size)
    const at = segment.used
    const { bytes, words, doubles } = segment
    words[at >>> 2] = keyLength
    words[(at >>> 2) + 1] = valueLength
    doubles[(at >>> 3) + 1] = offset
    doubles[(at >>> 3) + 2] = timestamp
    copyBytes(source, keyStart, bytes, at + headerBytes, keyLength)
    if (valueLength > 0) copyBytes(source, valueStart, bytes, at + headerBytes + keyLength, valueLength)
    segment.used = at + size
    const allowance = this.allowanceOf(size)
    segment.liveBytes += size
    segment.allowance += allowance
    log.liveBytes += size
    log.allowance += allowance
    return (segment.number << this.offsetBits) | (at >>> 3)
  }

  /** Declares an entry dead: no index and no reader leads to it. */
  markDead(log: PartitionLog, address: number): void {
    const segment = this.segments[address >>> this.offsetBits]!
    const word = (address & this.offsetMask) << 1
    const size = entryBytes(segment.words[word]!, segment.words[word + 1]!)
    const allowance = this.allowanceOf(size)
    segment.liveBytes -= size
    segment.allowance -= allowance
    log.liveBytes -= size
    log.allowance -= allowance
    if (segment.liveBytes === 0 && segment.sealed) this.#free(log, segment)
  }

  /** Returns the bytes of the entry at an address. */
  sizeAt(address: number): number {
    const { words } = this.segments[address >>> this.offsetBits]!
    const word = (address & this.offsetMask) << 1
    return entryBytes(words[word]!, words[word + 1]!)
  }

  /**
   * Returns the bytes of the partition's segments. The open segment counts with its used bytes, because the rest is not
   * resident unless the segment was in use before.
   */
  totalBytes(log: PartitionLog): number {
    return log.sealedBytes + (log.open?.used ?? 0)
  }

  /** Returns whether the partition would exceed its bound if `leaving` bytes of its segments were free. */
  isOverBound(log: PartitionLog, leaving: number): boolean {
    return log.sealedBytes - leaving > log.allowance * this.#boundScale + allowanceFloorSegments * this.#segmentBytes
  }

  /** What allowances count now: 1, or less while memory is short. */
  get boundScale(): number {
    return this.#boundScale
  }

  setTight(isTight: boolean): void {
    this.#boundScale = isTight ? tightBoundScale : 1
  }

  /**
   * Returns the bytes of segments that a live entry of this size may occupy. A large entry may occupy more: if it does
   * not fit into a segment, the rest of the segment is lost, which can be as much as the size of the entry.
   */
  allowanceOf(size: number): number {
    return size > this.#largeBytesMin ? size * allowancePerLargeByte : size * allowancePerByte
  }

  /** Frees all segments of a partition. */
  clear(log: PartitionLog): void {
    for (const segment of this.segments) {
      if (segment.owner === log.index && segment.liveBytes + segment.used > 0) this.#allocator.free(segment)
    }
    log.open = undefined
    log.sealedBytes = 0
    log.liveBytes = 0
    log.allowance = 0
  }

  #makeRoom(log: PartitionLog, size: number): LogSegment {
    if (segmentDataStart + size > this.#segmentBytes) {
      const count = Math.ceil((segmentDataStart + size) / this.#segmentBytes)
      const run = this.#allocator.allocate(count, log.index)
      run.used = segmentDataStart
      run.sealed = true
      log.sealedBytes += count * this.#segmentBytes
      return run
    }
    const segment = this.#allocator.allocate(1, log.index)
    segment.used = segmentDataStart
    const before = log.open
    log.open = segment
    if (before !== undefined) {
      before.sealed = true
      log.sealedBytes += this.#segmentBytes
      if (before.liveBytes === 0) this.#free(log, before)
    }
    return segment
  }

  #free(log: PartitionLog, segment: LogSegment): void {
    log.sealedBytes -= segment.run * this.#segmentBytes
    this.#allocator.free(segment)
  }
}

function copyBytes(source: Uint8Array, start: number, target: Uint8Array, at: number, length: number): void {
  if (length > loopLengthMax) {
    Buffer.prototype.copy.call(source, target, at, start, start + length)
    return
  }
  for (let i = 0; i < length; i++) target[at + i] = source[start + i]!
}
