/**
 * The positions of the partitions: next offsets of changelog and source. To the map they are numbers that its caller
 * sets, and that a publish shows together with its operations.
 */
const unknown = -1

/** Positions at one moment. */
export interface TakenPositions {
  /** Changelog and source position of each partition, by index. */
  readonly values: Float64Array
  /** Number of changes before. */
  readonly changes: number
}

export class Positions {
  readonly #values: Float64Array
  #taken: TakenPositions
  #changes = 0

  constructor(partitions: number) {
    this.#values = new Float64Array(2 * partitions).fill(unknown)
    this.#taken = { values: this.#values.slice(), changes: 0 }
  }

  /** @param index of the partition in the map */
  set(index: number, changelogPosition: number, sourcePosition: number): void {
    const values = this.#values
    if (values[2 * index] === changelogPosition && values[2 * index + 1] === sourcePosition) return
    values[2 * index] = changelogPosition
    values[2 * index + 1] = sourcePosition
    this.#changes++
  }

  /** Returns the present positions. Later changes do not change the result. */
  take(): TakenPositions {
    if (this.#taken.changes !== this.#changes) this.#taken = { values: this.#values.slice(), changes: this.#changes }
    return this.#taken
  }
}
