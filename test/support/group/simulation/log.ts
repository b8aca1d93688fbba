/** A changelog partition with its fence: markers raise the epoch, and batches of a former epoch are refused. */

export interface LogEntry {
  epoch: number
  /** Offset in the source; undefined for a marker. */
  source: number | undefined
}

/** The first key that the partitioner puts into the next partition. */
const firstStranger = 3

export function isStranger(source: number): boolean {
  return source % 7 === firstStranger
}

export class SimulatedLog {
  readonly entries: LogEntry[] = []
  /** Bytes that a full copy takes. */
  readonly bytes: number
  readonly hasStrangers: boolean
  /** Offset of the source that the group has committed. It is behind what the changelog has. */
  committed = 0
  /** By position. */
  readonly #states = [{ nextSource: 0, term: -1 }]
  /** Offset of the entry of each record of the source. */
  readonly #offsets: number[] = []
  #epoch = -1

  constructor(bytes: number, hasStrangers: boolean) {
    this.bytes = bytes
    this.hasStrangers = hasStrangers
  }

  get epoch(): number {
    return this.#epoch
  }

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
    this.#offsets[source] ??= this.end
    this.entries.push({ epoch, source })
    return true
  }

  get end(): number {
    return this.entries.length
  }

  /** Records of the source that are in the log: all of them from the first one on. */
  get records(): number {
    return this.#offsets.length
  }

  offsetOf(source: number): number | undefined {
    return this.#offsets[source]
  }

  /** Whether the first `position` entries have keys that the partitioner puts elsewhere. */
  hasStrangersIn(position: number): boolean {
    return this.hasStrangers && this.upTo(position).nextSource > firstStranger
  }

  /** What the first `position` entries say: the next offset of the source, and the last marker. */
  upTo(position: number): { nextSource: number; term: number } {
    return this.#states[position]!
  }
}
