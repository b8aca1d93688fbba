/**
 * Segments of a map that show the log file of the snapshot that they were restored from, so that a start does not copy them.
 * They are pinned until they are independent of the file, and meanwhile the file may not be written.
 */
import { reset } from '../../linux/mapped-memory.ts'
import type { LogSegment } from '../writer/segment-allocator.ts'
import type { SnapshotAccess } from '../writer/snapshot-access.ts'

/** Smaller segments are read, because each mapping costs kernel memory. */
const mappedBytesMin = 1 << 20
/**
 * Further segments of a store thread are read. At present all are: memory that is freed while it shows a file, as when a
 * program closes a store soon after its start, would be given to others with the content of the file. Where that cannot
 * happen, at most 4,096 may be mapped, because a process has at most 65,530 mappings (vm.max_map_count).
 */
const segmentsMax = 0

export interface MappedSegment {
  readonly number: number
  readonly partition: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  readonly length: number
}

export class MappedSegments {
  readonly #segments = new Map<number, MappedSegment>()
  readonly #segmentsMax: number
  /** A segment has a mapping of its own after it is owned, too. */
  #count = 0

  constructor(max = segmentsMax) {
    this.#segmentsMax = max
  }

  /** Returns whether a segment of this size is to show its file. */
  accepts(segmentBytes: number): boolean {
    return segmentBytes >= mappedBytesMin && this.#count < this.#segmentsMax
  }

  get all(): MappedSegment[] {
    return [...this.#segments.values()]
  }

  /** @param length bytes that show the file */
  add(access: SnapshotAccess, partition: number, { number, bytes }: LogSegment, length: number): void {
    const { buffer, byteOffset } = bytes as Uint8Array<SharedArrayBuffer>
    this.#count++
    this.#segments.set(number, { number, partition, buffer, byteOffset, length })
    access.pin(number)
  }

  /** The segment is independent of the file. */
  owned(access: SnapshotAccess, number: number): void {
    if (this.#segments.delete(number)) access.unpin(number)
  }

  /** Removes the content of a partition's segments. They may not be read any more. */
  reset(access: SnapshotAccess, partition: number): void {
    for (const segment of this.all) {
      if (segment.partition !== partition) continue
      reset(new Uint8Array(segment.buffer, segment.byteOffset, segment.length))
      this.owned(access, segment.number)
    }
  }
}
