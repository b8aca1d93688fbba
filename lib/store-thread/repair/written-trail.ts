/**
 * Tracks the source offset up to which the part of a changelog that was read has everything: the highest `src` or `aft`
 * since the last discard.
 *
 * If source offsets fall, a rebuild or an amendment wrote records again, and the rest of them may be in the missing
 * part. So from a fall on, the lowest offset counts, until a record has a higher offset than all before. The result may
 * be too low, but never too high: too low only means that some records are written twice.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { discardOffset } from '../recovery/source-trail.ts'

export class WrittenTrail {
  #highest = -1
  #lowestSinceFall = Number.POSITIVE_INFINITY

  /** The source offset; -1 if unknown. */
  get upTo(): number {
    return Math.min(this.#highest, this.#lowestSinceFall)
  }

  /** Notes the record at which the batch reader is positioned. */
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
