/**
 * What each side shows: the number of the exchange that publishes it, and the number of entries of each partition. The
 * writer writes the figures of a side when the side absorbs, before it is published. So a reader that is inside reads
 * the figures that belong to the entries it reads.
 */
import type { Side } from './map-messages.ts'

/** A cache line of 64 bytes, in values of 8 bytes. */
const valuesPerLine = 8

/** Values of one side: the exchange, then the partitions. Each side begins with a cache line. */
function valuesPerSide(partitions: number): number {
  return Math.ceil((1 + partitions) / valuesPerLine) * valuesPerLine
}

/** @param partitions number of partitions of the map */
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
  entries(side: Side, index: number): number {
    return this.#values[side * this.#valuesPerSide + 1 + index]!
  }

  setExchanges(side: Side, exchanges: number): void {
    this.#values[side * this.#valuesPerSide] = exchanges
  }

  setEntries(side: Side, index: number, entries: number): void {
    this.#values[side * this.#valuesPerSide + 1 + index] = entries
  }
}
