/**
 * Keys whose last record in the changelog is perhaps not their newest, because of late batches (succession.ts): those of records that fall behind the
 * source offsets before them, in a late batch or after one. A second reading settles them: settle.ts.
 *
 * Nothing is kept of other batches: the check is made once a batch. Records that fall without late ones are none of this: an owner that amends or
 * rebuilds writes what is right.
 */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { isAbortMarker, Succession } from './succession.ts'
import { discardOffset, orderOf, type SourceTrail } from './source-trail.ts'

/** Bytes of keys, and what a string costs beside them. */
const keyBytesMax = 16 << 20
const keyOverheadBytes = 96

export class DisputedKeys {
  /** A byte a character. */
  readonly keys = new Set<string>()
  /** Changelog offset of the first record whose key found no room: another reading takes them from there. Infinity where all did. */
  overflowedAt = Number.POSITIVE_INFINITY
  readonly #succession = new Succession()
  readonly #from: number
  readonly #bytesMax: number
  #bytes = 0
  #isDisputed = false
  /** The batch that was asked about last. */
  #isLate = false

  /** @param from changelog offset before which keys are not taken, because they were before */
  constructor(from = 0, bytesMax = keyBytesMax) {
    this.#from = from
    this.#bytesMax = bytesMax
  }

  /** A control batch. */
  control(batch: RecordBatchReader): void {
    if (isAbortMarker(batch)) this.#succession.marked(batch)
  }

  /** Whether keys of a batch may be disputed: note() looks at them. To be asked of each in turn. */
  concerns(batch: RecordBatchReader): boolean {
    this.#isLate = this.#succession.isLate(batch)
    if (this.#isLate && batch.recordCount > 0) this.#isDisputed = true
    return this.#isDisputed
  }

  /** Takes the disputed keys of a batch whose records are open. @param trail of what stands before it */
  note(batch: RecordBatchReader, trail: SourceTrail): void {
    let reached = trail.reached
    while (batch.nextRecord()) {
      if (batch.undecodable || batch.keyLength < 0) continue
      const order = orderOf(batch)
      if (order === discardOffset) reached = -1
      else if (order >= reached) reached = order
      else if (this.#isLate || order >= 0) this.#take(batch)
    }
  }

  #take({ data, keyStart, keyLength, offset }: RecordBatchReader): void {
    if (offset < this.#from || offset >= this.overflowedAt) return
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    if (this.keys.has(key)) return
    this.#bytes += keyLength + keyOverheadBytes
    // One finds room in any case, so that each reading settles some.
    if (this.#bytes > this.#bytesMax && this.keys.size > 0) this.overflowedAt = offset
    else this.keys.add(key)
  }
}
