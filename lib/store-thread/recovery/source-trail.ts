/**
 * Tracks, while a changelog is read, the record with the highest source offset. It determines the resume position and
 * identifies the source.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { SourceTrailState } from '../../store-protocol/snapshot-facts.ts'

/** Source offset of discard tombstones, which delete a store's content. All source offsets before them are invalid. */
export const discardOffset = -2

/** Added to the offset of an `aft` header: such a record is newer than the source record at that offset. */
const behindSource = 0.5

/**
 * Returns the sort order of a record among the records of its key: its source offset (`src`); or half more than its
 * `aft` offset; -1 if it has neither; discardOffset for a discard tombstone, which invalidates all records before it.
 */
export function orderOf(batch: RecordBatchReader): number {
  const source = batch.sourceOffset()
  if (source !== -1) return source
  const after = batch.afterOffset()
  return after < 0 ? -1 : after + behindSource
}

export interface SourcePosition {
  offset: number
  key: Buffer
  timestamp: number
}

export class SourceTrail {
  #discardedAt = -1
  #after = -1
  #highest = -1
  /** Changelog offset of the record at offset 0 of a batch. */
  #base = 0
  #keyStart = 0
  #keyLength = -1
  #timestamp = -1
  #last: SourcePosition | undefined

  /** @param state of the records before those that follow; by default there are none */
  constructor(state?: SourceTrailState) {
    if (state === undefined) return
    this.#discardedAt = state.discardedAt
    this.#after = state.after
    if (state.last === undefined) return
    const { offset, key, timestamp } = state.last
    this.#highest = offset
    this.#last = { offset, key: Buffer.from(key, 'base64'), timestamp }
  }

  /** To be read between two batches. */
  get state(): SourceTrailState {
    const last = this.#last && { ...this.#last, key: this.#last.key.toString('base64') }
    return { last, after: this.#after, discardedAt: this.#discardedAt }
  }

  copy(): SourceTrail {
    const copied = new SourceTrail()
    copied.#discardedAt = this.#discardedAt
    copied.#after = this.#after
    copied.#highest = this.#highest
    copied.#last = this.#last
    return copied
  }

  /** Sets where the next batch lies, if its records count from 0. @param base changelog offset of the first record */
  beginsAt(base: number): void {
    this.#base = base
  }

  /** Changelog offset of the last discard tombstone; -1 if there is none. */
  get discardedAt(): number {
    return this.#discardedAt
  }

  /** Highest `aft` offset of records that are not from the source, since the last discard; -1 if there is none. */
  get after(): number {
    return this.#after
  }

  /** Record with the highest source offset since the last discard; undefined if no record has one. */
  get last(): SourcePosition | undefined {
    return this.#last
  }

  /** Highest `orderOf` a record since the last discard; -1 if no record has a source offset. */
  get reached(): number {
    return Math.max(this.#highest, this.#after < 0 ? -1 : this.#after + behindSource)
  }

  /** Notes that everything up to a source offset was read, in addition to what records state. */
  raiseAfter(offset: number): void {
    this.#after = Math.max(this.#after, offset)
  }

  /**
   * Notes the record at which the batch reader is positioned. Keeps positions, not bytes: call settle() before the
   * batch's data is released.
   */
  note(batch: RecordBatchReader, sourceOffset: number): void {
    if (sourceOffset > this.#highest) {
      this.#highest = sourceOffset
      this.#keyStart = batch.keyStart
      this.#keyLength = batch.keyLength
      this.#timestamp = batch.timestamp
    } else if (sourceOffset === -1) {
      this.#after = Math.max(this.#after, batch.afterOffset())
    } else if (sourceOffset === discardOffset) {
      this.#highest = -1
      this.#keyLength = -1
      this.#last = undefined
      this.#after = -1
      this.#discardedAt = this.#base + batch.offset
    }
  }

  /** Copies the key that was noted. To be called at the end of a batch. */
  settle(batch: RecordBatchReader): void {
    if (this.#keyLength < 0) return
    const key = Buffer.from(batch.data.subarray(this.#keyStart, this.#keyStart + this.#keyLength))
    this.#last = { offset: this.#highest, key, timestamp: this.#timestamp }
    this.#keyLength = -1
  }
}
