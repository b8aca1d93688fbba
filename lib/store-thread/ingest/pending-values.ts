/**
 * What the keys of one partition have by records that memory does not show its writer yet: decoded and not acknowledged, or acknowledged and
 * not published. A callback is told the value before its record, however few milliseconds ago that came. Holds a key until the publish
 * after its last record, so it is bounded by what waits for the changelog and for a flush.
 */

interface PendingValue {
  readonly key: string
  /** null: deleted. */
  readonly value: Uint8Array | null
  readonly offset: number
}

/** Everything below a source offset that was noted by then is in memory once so many operations were absorbed there. */
interface Mark {
  readonly nextSource: number
  /** Values noted so far: what comes after is not settled, however high `nextSource` is. */
  readonly noted: number
  readonly operations: number
}

/** Released values at the queue's front that are worth moving the others for. */
const releasedMin = 4_096

export class PendingValues {
  readonly #latest = new Map<string, PendingValue>()
  /** In the order of their offsets; those before #first are released. */
  readonly #queue: PendingValue[] = []
  #first = 0
  /** Values that the queue no longer has. */
  #dropped = 0
  readonly #marks: Mark[] = []

  /** Keys that are held. */
  get size(): number {
    return this.#latest.size
  }

  /** What a key has: its value, null if it was deleted, undefined where memory tells. */
  get(key: string): Uint8Array | null | undefined {
    return this.#latest.get(key)?.value
  }

  /**
   * A record is on its way to the changelog.
   * @param value kept as it is: not to be changed
   * @param offset of the source record; of a write that is none of the source's, the one that the next record will have
   */
  note(key: string, value: Uint8Array | null, offset: number): void {
    const pending = { key, value, offset }
    this.#latest.set(key, pending)
    this.#queue.push(pending)
  }

  /** What is on its way will not be written: memory tells of every key. */
  clear(): void {
    this.#latest.clear()
    this.#dropped += this.#queue.length
    this.#queue.length = 0
    this.#first = 0
    this.#marks.length = 0
  }

  /** All below `nextSource` was put into memory, or will never be; `operations` were put into it so far. */
  acknowledged(nextSource: number, operations: number): void {
    if (this.#first === this.#queue.length) return
    this.#marks.push({ nextSource, noted: this.#dropped + this.#queue.length, operations })
  }

  /** The writer's view of memory has so many operations: what is among them is released. */
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
