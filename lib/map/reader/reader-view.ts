/** A reader thread's views of the map's memory. Messages of the writer keep them up to date. */
import { type LogView, offsetBitsOf, type Segment, segmentViews } from '../memory/entry.ts'
import type { ChiralMapShared, MapMessage } from '../memory/map-messages.ts'
import type { TableView } from '../memory/probe.ts'
import { SideFigures } from '../memory/side-figures.ts'

export class ReaderView {
  readonly control: Int32Array
  readonly seed0: number
  readonly seed1: number
  readonly partitions: readonly number[]
  /** Index of each partition in `partitions`, by partition number. */
  readonly indexOf: readonly (number | undefined)[]
  /** By side, then by index of the partition. */
  readonly tables: readonly [(TableView | undefined)[], (TableView | undefined)[]]
  readonly log: LogView
  readonly figures: SideFigures
  readonly #segments: Segment[] = []
  readonly #segmentBytes: number
  #partitionCount: number
  #version = 0

  constructor(shared: ChiralMapShared) {
    this.control = new Int32Array(shared.control)
    this.figures = new SideFigures(shared.figures, shared.partitions.length)
    this.seed0 = shared.seed[0]
    this.seed1 = shared.seed[1]
    this.partitions = shared.partitions
    this.#partitionCount = shared.partitionCount
    const indexOf: (number | undefined)[] = Array.from({ length: shared.partitionCount }, () => undefined)
    for (const [index, partition] of shared.partitions.entries()) indexOf[partition] = index
    this.indexOf = indexOf
    this.tables = [shared.partitions.map(() => undefined), shared.partitions.map(() => undefined)]
    this.#segmentBytes = shared.segmentBytes
    const offsetBits = offsetBitsOf(shared.segmentBytes)
    this.log = { segments: this.#segments, offsetBits, offsetMask: 2 ** offsetBits - 1 }
    for (const message of shared.messages) this.receive(message)
    this.#version = shared.version
  }

  /** Partitions of the topic, which may get more. */
  get partitionCount(): number {
    return this.#partitionCount
  }

  setPartitionCount(partitionCount: number): void {
    this.#partitionCount = partitionCount
  }

  get version(): number {
    return this.#version
  }

  /**
   * Applies a message. Must not run during a lookup of the same thread, which holds because a lookup is synchronous.
   */
  receive(message: MapMessage): number {
    if (message.version <= this.#version) return this.#version
    if (message.kind === 'slab') {
      for (const [i, segment] of segmentViews(message.buffer, this.#segmentBytes).entries()) {
        this.#segments[message.firstSegment + i] = segment
      }
    } else if (message.kind === 'gone') {
      this.tables[message.side][message.partitionIndex] = undefined
    } else {
      const { side, partitionIndex, buffer, byteOffset, bits } = message
      const slots = new Int32Array(buffer, byteOffset, 2 * 2 ** bits)
      this.tables[side][partitionIndex] = { slots, shift: 32 - bits, mask: 2 ** bits - 1 }
    }
    this.#version = message.version
    return this.#version
  }
}
