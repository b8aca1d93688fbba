/**
 * Segments of a map that show the log file of the snapshot that they were restored from, so that a start does not copy them.
 * They are pinned until they are independent of the file, and meanwhile the file may not be written. Their memory is kept
 * before it shows anything, so that it is never freed while it does.
 */
import { reset } from '../../linux/mapped-memory.ts'
import type { LogSegment } from '../writer/segment-allocator.ts'
import type { SnapshotAccess } from '../writer/snapshot-access.ts'
import type { MemoryKeeper } from './memory-keeper.ts'
import { ownSegments } from './own-segments.ts'
import { type ShownState, stateOfShown } from './shown-memory.ts'
import type { MappedSegment } from './snapshot-job.ts'

/** Smaller segments are read, because each mapping costs kernel memory. */
const mappedBytesMin = 1 << 20
/** Further segments of a store thread are read, because a process has at most 65,530 mappings (vm.max_map_count). */
const segmentsMax = 4096

interface KeptBuffer {
  readonly isKept: Promise<boolean>
  /** Segments that may show their file. */
  segments: number
}

export class MappedSegments {
  readonly #segments = new Map<number, MappedSegment>()
  readonly #kept = new Map<SharedArrayBuffer, KeptBuffer>()
  readonly #keeper: MemoryKeeper | undefined
  readonly #segmentsMax: number
  /** A segment has a mapping of its own after it is owned, too. */
  #count = 0
  #isClosed = false

  /** @param keeper without one no segment is accepted */
  constructor(keeper: MemoryKeeper | undefined, max = segmentsMax) {
    this.#keeper = keeper
    this.#segmentsMax = max
  }

  get all(): MappedSegment[] {
    return [...this.#segments.values()]
  }

  /**
   * Lets a segment show its file in its first `length` bytes. From then on it is pinned and its memory kept, until it is
   * owned or reset, also if this rejects, which it does as `show`.
   * @param show returns whether the memory shows the file
   * @returns false if the segment has to be read
   */
  async show(
    access: SnapshotAccess,
    partition: number,
    { number, bytes }: LogSegment,
    length: number,
    show: () => boolean,
  ): Promise<boolean> {
    if (this.#keeper === undefined || this.#isClosed) return false
    if (access.segmentBytes < mappedBytesMin || this.#count >= this.#segmentsMax) return false
    const { buffer, byteOffset } = bytes as Uint8Array<SharedArrayBuffer>
    this.#count++
    access.pin(number)
    this.#segments.set(number, { number, partition, buffer, byteOffset, length })
    const isKept = await this.#keep(buffer, this.#keeper)
    // After close() it is released.
    if (isKept && this.#segments.has(number) && show()) return true
    this.owned(access, number)
    return false
  }

  /** Checks memory that shows a file, in another thread where that can be. Lets this one handle events meanwhile. */
  async check(memory: Uint8Array<SharedArrayBuffer>, sum: string): Promise<ShownState> {
    const checking = this.#keeper?.check?.(memory, sum)
    if (checking !== undefined) return checking
    const state = stateOfShown(memory, sum)
    await eventsHandled()
    return state
  }

  /** The segment is independent of the file. */
  owned(access: SnapshotAccess, number: number): void {
    const segment = this.#segments.get(number)
    if (segment === undefined) return
    this.#segments.delete(number)
    const kept = this.#kept.get(segment.buffer)!
    kept.segments--
    if (kept.segments === 0) {
      this.#kept.delete(segment.buffer)
      this.#keeper!.release(segment.buffer)
    }
    access.unpin(number)
  }

  /** Makes all segments independent of their files in this thread, and accepts no more. */
  close(access: SnapshotAccess): void {
    this.#isClosed = true
    ownSegments({ kind: 'own', segments: this.all }, (message) => {
      if (message.kind === 'segment') this.owned(access, message.number)
    })
  }

  /** Removes the content of a partition's segments. They may not be read any more. */
  reset(access: SnapshotAccess, partition: number): void {
    for (const segment of this.all) {
      if (segment.partition !== partition) continue
      if (!reset(new Uint8Array(segment.buffer, segment.byteOffset, segment.length))) continue
      this.owned(access, segment.number)
    }
  }

  #keep(buffer: SharedArrayBuffer, keeper: MemoryKeeper): Promise<boolean> {
    const kept = this.#kept.get(buffer) ?? { isKept: keeper.keep(buffer), segments: 0 }
    kept.segments++
    this.#kept.set(buffer, kept)
    return kept.isKept
  }
}

function eventsHandled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
