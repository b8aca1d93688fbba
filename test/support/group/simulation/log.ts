/** A changelog partition with its fence: markers raise the epoch, and batches of a former epoch are refused. */

export interface LogEntry {
  epoch: number
  /** Offset in the source; undefined for a marker. */
  source: number | undefined
}

export class SimulatedLog {
  readonly entries: LogEntry[] = []
  /** By position. */
  readonly #states = [{ nextSource: 0, term: -1 }]
  #epoch = -1

  /** @returns the epoch that was granted; its marker is the last entry */
  fence(): number {
    this.#epoch++
    this.#states.push({ ...this.#states.at(-1)!, term: this.end })
    this.entries.push({ epoch: this.#epoch, source: undefined })
    return this.#epoch
  }

  /** @returns whether the batch was appended; false as INVALID_PRODUCER_EPOCH */
  append(epoch: number, source: number): boolean {
    if (epoch < this.#epoch) return false
    this.#states.push({ ...this.#states.at(-1)!, nextSource: source + 1 })
    this.entries.push({ epoch, source })
    return true
  }

  get end(): number {
    return this.entries.length
  }

  /** What the first `position` entries say: the next offset of the source, and the last marker. */
  upTo(position: number): { nextSource: number; term: number } {
    return this.#states[position]!
  }
}
