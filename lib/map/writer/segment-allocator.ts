/**
 * The shared memory of one map: slabs, divided into segments. The engine does not reliably free unused shared memory,
 * so the allocator keeps all of it. Log segments, runs of segments for larger entries, and index tables of at least a
 * segment come from here and return here. The operating system commits the pages of a slab when they are first written.
 */
import { LatchkeyError, messageOf } from '../../errors.ts'
import { offsetBitsOf, type Segment, segmentViews } from '../memory/entry.ts'
import type { Announcements } from './announcements.ts'
import { SmallTables } from './small-tables.ts'

const ownerFree = -1
export const ownerTable = -2
/** Its entries are dead, but a snapshot still reads it. */
const ownerPinned = -3
/** Largest page of any system that Bun runs on: a smaller segment may share a page with its neighbours. */
const releasedBytesMin = 65_536

/** The writer's view of a segment, with its accounting. Sizes in bytes. */
export interface LogSegment extends Segment {
  readonly number: number
  /** First segment of the slab. A run does not cross slabs. */
  readonly slab: number
  /** Version of the message that announced the slab. */
  readonly version: number
  /** Index of the partition whose entries it holds, or ownerTable, ownerPinned or ownerFree. */
  owner: number
  /** Number of times that the segment was freed. Until it changes, bytes below `used` do not change. */
  generation: number
  /** Not to be freed before unpin(). */
  pinned: boolean
  /** Number of segments in the run that begins here. */
  run: number
  /** Was in use before, so its bytes are not zero. */
  dirty: boolean
  /** Position of the next entry. Only entries below are valid. */
  used: number
  liveBytes: number
  /** Bytes of segments that the live entries in this segment may occupy (allowanceOf). */
  allowance: number
  /** Accepts no more entries. */
  sealed: boolean
  /** The cleaner is moving its live entries out. */
  cleaning: boolean
  /** The oplog's end after the latest operation on an entry in this segment. */
  oplogEnd: number
}

export interface AllocatorOptions {
  readonly segmentBytes: number
  readonly slabBytes: number
  readonly bytesMax: number
}

export interface ReleaseBounds {
  /** Bytes of free segments that are kept. Default: 0. */
  readonly keptBytes?: number
  /** Maximum to give back. Default: no maximum. */
  readonly bytesMax?: number
}

const everything = Number.POSITIVE_INFINITY

export class SegmentAllocator {
  readonly segments: LogSegment[] = []
  readonly segmentBytes: number
  readonly smallTables = new SmallTables()
  /** Bytes of segments that unpin() will free. */
  pinnedFreeBytes = 0
  readonly #slabSegments: number
  readonly #segmentsMax: number
  readonly #announcements: Announcements
  #freeCount = 0
  /** Segments that were ever in use, and so are resident. */
  #touchedCount = 0
  /** Of these, segments that are free now. */
  #freeTouchedCount = 0
  /** All segments below are in use. */
  #lowestFree = 0

  constructor(options: AllocatorOptions, announcements: Announcements) {
    this.segmentBytes = options.segmentBytes
    this.#slabSegments = Math.max(1, Math.floor(options.slabBytes / options.segmentBytes))
    const addressable = 2 ** (32 - offsetBitsOf(options.segmentBytes))
    this.#segmentsMax = Math.min(addressable, Math.floor(options.bytesMax / options.segmentBytes))
    this.#announcements = announcements
  }

  get freeCount(): number {
    return this.#freeCount
  }

  /** Bytes that are resident once every segment in use is written: segments ever in use, and small tables. */
  get touchedBytes(): number {
    return this.#touchedCount * this.segmentBytes + this.smallTables.bytes
  }

  /** Bytes of resident segments that are free. */
  get freeTouchedBytes(): number {
    return this.#freeTouchedCount * this.segmentBytes
  }

  /**
   * Returns the first of `count` consecutive segments, now owned. Throws memory_exhausted; then nothing has changed.
   */
  allocate(count: number, owner: number): LogSegment {
    let first = this.#freeRun(count)
    if (first === undefined) {
      this.#addSlab(count)
      first = this.#freeRun(count)!
    }
    for (let i = 0; i < count; i++) {
      const segment = this.segments[first.number + i]!
      segment.owner = owner
      if (segment.dirty) this.#freeTouchedCount--
      else this.#touchedCount++
    }
    first.run = count
    this.#freeCount -= count
    this.#announcements.need(first.version)
    return first
  }

  /** Frees a run, or has unpin() free it. No reader may be able to reach anything in it. */
  free(first: LogSegment): void {
    const { run } = first
    if (first.pinned) {
      this.pinnedFreeBytes += run * this.segmentBytes
      for (let i = 0; i < run; i++) this.segments[first.number + i]!.owner = ownerPinned
      return
    }
    for (let i = 0; i < run; i++) {
      const segment = this.segments[first.number + i]!
      segment.owner = ownerFree
      segment.generation++
      segment.run = 1
      segment.dirty = true
      segment.used = 0
      segment.liveBytes = 0
      segment.allowance = 0
      segment.sealed = false
      segment.cleaning = false
      segment.oplogEnd = 0
    }
    this.#freeCount += run
    this.#freeTouchedCount += run
    this.#lowestFree = Math.min(this.#lowestFree, first.number)
  }

  /** Frees a run if it would have been freed while it was pinned. */
  unpin(first: LogSegment): void {
    first.pinned = false
    if (first.owner !== ownerPinned) return
    this.pinnedFreeBytes -= first.run * this.segmentBytes
    this.free(first)
  }

  /**
   * Gives the memory of free segments back to the system. They are then as if they had never been in use.
   * @param release returns whether the bytes are given back, and are zero from now on
   * @returns the bytes that were given back
   */
  releaseFree(
    release: (bytes: Uint8Array) => boolean,
    { keptBytes = 0, bytesMax = everything }: ReleaseBounds = {},
  ): number {
    if (this.segmentBytes < releasedBytesMin) return 0
    let released = 0
    // From the end: allocate() takes the first ones.
    for (let number = this.segments.length - 1; number >= 0; number--) {
      if (this.freeTouchedBytes <= keptBytes || released >= bytesMax) break
      const segment = this.segments[number]!
      if (segment.owner !== ownerFree || !segment.dirty) continue
      const { buffer, byteOffset } = segment.bytes
      if (!release(new Uint8Array(buffer, byteOffset, this.segmentBytes))) break
      segment.dirty = false
      released += this.segmentBytes
      this.#touchedCount--
      this.#freeTouchedCount--
    }
    return released
  }

  /** Adds a slab before it is needed, so that readers have confirmed it by then. Does nothing at the limit. */
  reserve(): void {
    if (this.#freeCount >= this.#slabSegments / 2) return
    if (this.segments.length + this.#slabSegments <= this.#segmentsMax) this.#addSlab(this.#slabSegments)
  }

  #freeRun(count: number): LogSegment | undefined {
    if (this.#freeCount < count) return undefined
    const { segments } = this
    let found = 0
    for (let number = this.#lowestFree; number < segments.length; number++) {
      const segment = segments[number]!
      if (segment.owner !== ownerFree) {
        found = 0
        continue
      }
      if (found === 0 && count === 1) this.#lowestFree = number
      found = found > 0 && segments[number - 1]!.slab === segment.slab ? found + 1 : 1
      if (found === count) return segments[number - count + 1]
    }
    return undefined
  }

  #addSlab(count: number): void {
    const firstSegment = this.segments.length
    const room = this.#segmentsMax - firstSegment
    const slabSegments = Math.max(count, Math.min(this.#slabSegments, room))
    if (slabSegments > room) throw this.#exhausted(count)
    let buffer: SharedArrayBuffer
    try {
      buffer = new SharedArrayBuffer(slabSegments * this.segmentBytes)
    } catch (error) {
      throw this.#exhausted(count, error)
    }
    const version = this.#announcements.announce({ kind: 'slab', firstSegment, buffer })
    for (const views of segmentViews(buffer, this.segmentBytes)) {
      this.segments.push({
        ...views,
        number: this.segments.length,
        slab: firstSegment,
        version,
        owner: ownerFree,
        generation: 0,
        pinned: false,
        run: 1,
        dirty: false,
        used: 0,
        liveBytes: 0,
        allowance: 0,
        sealed: false,
        cleaning: false,
        oplogEnd: 0,
      })
    }
    this.#freeCount += slabSegments
  }

  #exhausted(count: number, cause?: unknown): LatchkeyError {
    const { length } = this.segments
    const reason = cause === undefined ? '' : ` (${messageOf(cause)})`
    return new LatchkeyError(
      'memory_exhausted',
      `allocate ${count} segments of ${this.segmentBytes} bytes: ${length} of at most ${this.#segmentsMax} exist, ${this.#freeCount} free${reason}. ` +
        'Spread the partitions over more instances',
      { cause },
    )
  }
}
