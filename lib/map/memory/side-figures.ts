/**
 * What each side shows: the number of the exchange that publishes it, and for each partition its positions and entries.
 * The writer writes the figures of a side when the side absorbs, before it is published. So a reader that is inside
 * reads the figures that belong to the entries it reads.
 */
import type { Side } from './map-messages.ts'

/** The figures of a partition on one side. */
export interface PartitionFigures {
  /** Next changelog offset: everything below it is shown. -1 if unknown, or if the partition is not shown yet. */
  readonly changelogPosition: number
  /** Next source offset, in the same way. */
  readonly sourcePosition: number
  readonly entries: number
}

const fieldsPerPartition = 3
/** A cache line of 64 bytes, in values of 8 bytes. */
const valuesPerLine = 8

/** Values of one side: the exchange, then the partitions. Each side begins with a cache line. */
function valuesPerSide(partitions: number): number {
  return Math.ceil((1 + fieldsPerPartition * partitions) / valuesPerLine) * valuesPerLine
}

export function createFigures(partitions: number): SharedArrayBuffer {
  return new SharedArrayBuffer(2 * valuesPerSide(partitions) * Float64Array.BYTES_PER_ELEMENT)
}

export class SideFigures {
  readonly #values: Float64Array
  readonly #valuesPerSide: number

  /** @param partitions number of partitions of the map */
  constructor(figures: SharedArrayBuffer, partitions: number) {
    this.#values = new Float64Array(figures)
    this.#valuesPerSide = valuesPerSide(partitions)
  }

  /** Returns the number of exchanges after which the side was published. Unlike the control word it does not wrap. */
  exchanges(side: Side): number {
    return this.#values[side * this.#valuesPerSide]!
  }

  /** @param index of the partition in ChiralMapShared.partitions */
  read(side: Side, index: number): PartitionFigures {
    const at = this.#place(side, index)
    const values = this.#values
    return { changelogPosition: values[at]!, sourcePosition: values[at + 1]!, entries: values[at + 2]! }
  }

  setExchanges(side: Side, exchanges: number): void {
    this.#values[side * this.#valuesPerSide] = exchanges
  }

  write(side: Side, index: number, changelogPosition: number, sourcePosition: number, entries: number): void {
    const at = this.#place(side, index)
    this.#values[at] = changelogPosition
    this.#values[at + 1] = sourcePosition
    this.#values[at + 2] = entries
  }

  #place(side: Side, index: number): number {
    return side * this.#valuesPerSide + 1 + fieldsPerPartition * index
  }
}
