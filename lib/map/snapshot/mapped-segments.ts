/**
 * Segments of a map that show the log file of the snapshot that they were restored from, so that a start does not copy them.
 * They are pinned until they are independent of the file, and meanwhile the file may not be written.
 */
import { reset } from '../../linux/mapped-memory.ts'
import type { LogSegment } from '../writer/segment-allocator.ts'
import type { SnapshotAccess } from '../writer/snapshot-access.ts'

/** Smaller segments are read: each mapping costs kernel memory, and their number is limited (65,530). */
export const mappedBytesMin = 1 << 20

export interface MappedSegment {
  readonly number: number
  readonly partition: number
  readonly buffer: SharedArrayBuffer
  readonly byteOffset: number
  readonly length: number
}

export class MappedSegments {
  readonly #segments = new Map<number, MappedSegment>()

  get all(): MappedSegment[] {
    return [...this.#segments.values()]
  }

  /** @param length bytes that show the file */
  add(access: SnapshotAccess, partition: number, { number, bytes }: LogSegment, length: number): void {
    const { buffer, byteOffset } = bytes as Uint8Array<SharedArrayBuffer>
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
