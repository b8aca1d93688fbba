/** While a changelog is read: the record with the highest source offset, by which the source is found again and recognised. */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'

/** Source offset of the tombstones that discard a store's content: what was read before them counts no longer. */
export const discardOffset = -2

/** A record that comes after a source offset is newer than the one that has it. */
const behindSource = 0.5

/**
 * By which two records of a key compare: the source offset that one has, and half more for one that comes after it; -1 for one that names none,
 * discardOffset for one before which nothing counts any more.
 */
export function orderOf(batch: RecordBatchReader): number {
  const source = batch.sourceOffset()
  if (source !== -1) return source
  const after = batch.afterOffset()
  return after < 0 ? -1 : after + behindSource
}

export interface SourceRecord {
  offset: number
  key: Buffer
  timestamp: number
}

export class SourceTrail {
  /** Changelog offset of the last tombstone that discards; -1 where there was none. */
  discardedAt = -1
  /** Highest source offset that records which are none of the source's say they come after, since the last discard; -1 where there was none. */
  after = -1
  #highest = -1
  #keyStart = 0
  #keyLength = -1
  #timestamp = -1
  #last: SourceRecord | undefined

  /** The highest so far, since the last discard; undefined where no record names its source offset. */
  get last(): SourceRecord | undefined {
    return this.#last
  }

  /** The highest `orderOf` a record so far, since the last discard; -1 where nothing names a source offset. */
  get reached(): number {
    return Math.max(this.#highest, this.after < 0 ? -1 : this.after + behindSource)
  }

  /** The record that the batch stands at. Keeps places, not bytes: settle() before the batch's data goes. */
  note(batch: RecordBatchReader, sourceOffset: number): void {
    if (sourceOffset > this.#highest) {
      this.#highest = sourceOffset
      this.#keyStart = batch.keyStart
      this.#keyLength = batch.keyLength
      this.#timestamp = batch.timestamp
    } else if (sourceOffset === -1) {
      this.after = Math.max(this.after, batch.afterOffset())
    } else if (sourceOffset === discardOffset) {
      this.#highest = -1
      this.#keyLength = -1
      this.#last = undefined
      this.after = -1
      this.discardedAt = batch.offset
    }
  }

  /** At the end of a batch: copies the key that was noted. */
  settle(batch: RecordBatchReader): void {
    if (this.#keyLength < 0) return
    const key = Buffer.from(batch.data.subarray(this.#keyStart, this.#keyStart + this.#keyLength))
    this.#last = { offset: this.#highest, key, timestamp: this.#timestamp }
    this.#keyLength = -1
  }
}
