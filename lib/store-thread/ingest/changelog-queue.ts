/**
 * Encoded batches of one partition that wait to be written: full batches, oldest first, then the open batch. The only
 * place that appends records of the source, of programs and of a discard to batches. While the partition is withheld,
 * these batches wait, and only amendments are given out.
 */
import type { HeaderBytes } from '../../kafka/record-batch/index.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'

export class ChangelogQueue {
  readonly #pool: BatchPool
  readonly #full: ChangelogBatch[] = []
  #open: ChangelogBatch | undefined
  /** When the open batch got its first record (performance.now()). */
  #openedAt = 0
  #bytes = 0
  /** Undefined while the partition's own batches are written. */
  #amendments: ChangelogBatch[] | undefined

  constructor(pool: BatchPool) {
    this.#pool = pool
  }

  /** Encoded bytes of all batches, amendments included. */
  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#full.length === 0 && this.#open === undefined && this.amendments === 0
  }

  get isWithheld(): boolean {
    return this.#amendments !== undefined
  }

  /** Number of amendments that wait. */
  get amendments(): number {
    return this.#amendments?.length ?? 0
  }

  get hasFull(): boolean {
    return this.#full.length > 0
  }

  get hasOpen(): boolean {
    return this.#open !== undefined
  }

  /** The batches in the order in which they are written, without amendments. */
  get batches(): ChangelogBatch[] {
    return this.#open === undefined ? [...this.#full] : [...this.#full, this.#open]
  }

  /**
   * Appends a record to the open batch. If it does not fit, the batch counts as full and another one is opened.
   * @param nextSource next source offset after the record
   * @param isAfter whether `sourceOffset` is written as `aft`
   */
  append(
    source: Uint8Array,
    keyStart: number,
    keyLength: number,
    valueStart: number,
    valueLength: number,
    timestamp: number,
    sourceOffset: number,
    nextSource: number,
    headers?: HeaderBytes,
    isAfter = false,
  ): void {
    let open = this.#open ?? this.#begin()
    let before = open.count === 0 ? 0 : open.bytes
    const { builder } = open
    if (
      !builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, sourceOffset, headers, isAfter)
    ) {
      this.#full.push(open)
      open = this.#begin()
      before = 0
      open.builder.append(
        source,
        keyStart,
        keyLength,
        valueStart,
        valueLength,
        timestamp,
        sourceOffset,
        headers,
        isAfter,
      )
    }
    open.coverTo(nextSource)
    this.#bytes += open.bytes - before
  }

  /** Notes that a program wrote the record appended last. */
  countDirectWrite(): void {
    this.#open!.countDirectWrite()
  }

  /** Adds a whole batch after everything that waits. */
  push(batch: ChangelogBatch): void {
    if (this.#open !== undefined) this.#full.push(this.#open)
    this.#open = undefined
    this.#full.push(batch)
    this.#bytes += batch.bytes
  }

  /** Puts batches back to the front. */
  putBack(batches: readonly ChangelogBatch[]): void {
    this.#full.unshift(...batches)
    for (const { bytes } of batches) this.#bytes += bytes
  }

  /**
   * Removes and returns the oldest batch; undefined if there is none to write.
   * @param isDue whether to write the open batch although it is not full
   */
  shift(isDue: (openedAt: number) => boolean): ChangelogBatch | undefined {
    const batch = this.#next(isDue)
    if (batch !== undefined) this.#bytes -= batch.bytes
    return batch
  }

  #next(isDue: (openedAt: number) => boolean): ChangelogBatch | undefined {
    if (this.#amendments !== undefined) return this.#amendments.shift()
    const full = this.#full.shift()
    if (full !== undefined || this.#open === undefined || !isDue(this.#openedAt)) return full
    const open = this.#open
    this.#open = undefined
    return open
  }

  /** Withholds the batches. @returns amendments of an earlier withholding, which are removed */
  withhold(): ChangelogBatch[] {
    const left = this.#amendments ?? []
    this.#amendments = []
    return this.#removed(left)
  }

  amend(batch: ChangelogBatch): void {
    batch.markAmendment()
    this.#amendments!.push(batch)
    this.#bytes += batch.bytes
  }

  /** Ends the withholding. */
  release(): void {
    this.#amendments = undefined
  }

  /** Removes and returns all batches except amendments. */
  drain(): ChangelogBatch[] {
    const { batches } = this
    this.#full.length = 0
    this.#open = undefined
    return this.#removed(batches)
  }

  #removed(batches: ChangelogBatch[]): ChangelogBatch[] {
    for (const { bytes } of batches) this.#bytes -= bytes
    return batches
  }

  #begin(): ChangelogBatch {
    this.#openedAt = performance.now()
    this.#open = this.#pool.acquire()
    return this.#open
  }
}
