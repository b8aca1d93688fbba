/**
 * Latest values of one partition that the map does not show its writer yet, so that callbacks see the value directly
 * before their record. These values are decoded and not acknowledged, or acknowledged and not published. A key is held
 * until the publish after its last record, so the size is bounded by what waits for the changelog and for a flush.
 */

interface PendingValue {
  readonly key: string
  /** null for a deleted key. */
  readonly value: Uint8Array | null
  readonly offset: number
}

/**
 * When the map has absorbed `operations` operations, it shows every value that was noted by then and has a source
 * offset below `nextSource`.
 */
interface Mark {
  readonly nextSource: number
  /** Number of values noted so far. Later values are not covered, even if `nextSource` is above their offsets. */
  readonly noted: number
  readonly operations: number
}

/** Minimum of released values at the front of the queue before the others are moved. */
const releasedMin = 4_096

export class PendingValues {
  readonly #latest = new Map<string, PendingValue>()
  /** In the order of their offsets. Values before #first are released. */
  readonly #queue: PendingValue[] = []
  #first = 0
  /** Number of values removed from the queue. */
  #dropped = 0
  readonly #marks: Mark[] = []

  /** Number of keys held. */
  get size(): number {
    return this.#latest.size
  }

  /** Returns the pending value of a key, null if it was deleted, undefined if the map has the current value. */
  get(key: string): Uint8Array | null | undefined {
    return this.#latest.get(key)?.value
  }

  /**
   * Notes a record that was encoded for the changelog.
   * @param value kept without a copy: must not be modified
   * @param offset of the source record; for a write of a program, the offset of the next source record
   */
  note(key: string, value: Uint8Array | null, offset: number): void {
    const pending = { key, value, offset }
    this.#latest.set(key, pending)
    this.#queue.push(pending)
  }

  /** Drops all values: they will not be written, so the map is current for every key. */
  clear(): void {
    this.#latest.clear()
    this.#dropped += this.#queue.length
    this.#queue.length = 0
    this.#first = 0
    this.#marks.length = 0
  }

  /**
   * Called when everything below `nextSource` was put into the map, or never will be. `operations` is the number of
   * operations put so far.
   */
  acknowledged(nextSource: number, operations: number): void {
    if (this.#first === this.#queue.length) return
    this.#marks.push({ nextSource, noted: this.#dropped + this.#queue.length, operations })
  }

  /** Releases the values that are among the first `operations` operations, which the writer's view of the map has. */
  release(operations: number): void {
    let marks = 0
    while (marks < this.#marks.length && this.#marks[marks]!.operations <= operations) marks++
    if (marks === 0) return
    const { nextSource, noted } = this.#marks[marks - 1]!
    this.#marks.splice(0, marks)
    for (; this.#first < noted - this.#dropped; this.#first++) {
      const pending = this.#queue[this.#first]!
      if (pending.offset >= nextSource) break
      if (this.#latest.get(pending.key) === pending) this.#latest.delete(pending.key)
    }
    if (this.#first < releasedMin && this.#first < this.#queue.length) return
    this.#queue.splice(0, this.#first)
    this.#dropped += this.#first
    this.#first = 0
  }
}
