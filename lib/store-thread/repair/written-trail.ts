/**
 * Up to which source offset the part of a changelog that was read has everything: the highest `src` or `aft` of its records, since the last discard.
 *
 * Where source offsets fall, a rebuild or an amendment wrote them again, and what it had still to write may be in the part that is missing. So from a
 * fall on the lowest offset counts, until one comes that is higher than all before. That may be too low, and never too high: what is above it is only
 * written once more.
 */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { discardOffset } from '../recovery/source-trail.ts'

export class WrittenTrail {
  #highest = -1
  #lowestSinceFall = Number.POSITIVE_INFINITY

  /** -1 where nothing tells. */
  get upTo(): number {
    return Math.min(this.#highest, this.#lowestSinceFall)
  }

  /** The record that the batch stands at. */
  note(batch: RecordBatchReader): void {
    const source = batch.sourceOffset()
    if (source === discardOffset) this.#begin()
    else if (source >= 0) this.noteSource(source)
    else this.#highest = Math.max(this.#highest, batch.afterOffset())
  }

  noteSource(offset: number): void {
    if (offset > this.#highest) {
      this.#highest = offset
      this.#lowestSinceFall = Number.POSITIVE_INFINITY
    } else if (offset < this.#highest) this.#lowestSinceFall = Math.min(this.#lowestSinceFall, offset)
  }

  #begin(): void {
    this.#highest = -1
    this.#lowestSinceFall = Number.POSITIVE_INFINITY
  }
}
