/**
 * Keys whose last record in the changelog may not be their newest, because of late batches (succession.ts). A key is
 * disputed if one of its records, in or after a late batch, has a lower source offset than records before it. A second
 * reading decides which record is the newest: settle.ts.
 *
 * The check runs once a batch, and nothing is kept of batches before the first late one. Falling source offsets without
 * a late batch are correct: an owner that amends or rebuilds writes them.
 */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { isAbortMarker, Succession } from './succession.ts'
import { discardOffset, orderOf, type SourceTrail } from './source-trail.ts'

/** Maximum of the keys' bytes, and the overhead of a string. */
const keyBytesMax = 16 << 20
const keyOverheadBytes = 96

export class DisputedKeys {
  /** One character is one byte of a key (latin1). */
  readonly keys = new Set<string>()
  /**
   * Changelog offset of the first record whose key did not fit. Another reading takes the keys from there on. Infinity
   * if all keys fit.
   */
  overflowedAt = Number.POSITIVE_INFINITY
  readonly #succession = new Succession()
  readonly #from: number
  readonly #bytesMax: number
  #bytes = 0
  #isDisputed = false
  /** Whether the batch of the last concerns() call is late. */
  #isLate = false

  /** @param from changelog offset before which keys are ignored, because an earlier reading took them */
  constructor(from = 0, bytesMax = keyBytesMax) {
    this.#from = from
    this.#bytesMax = bytesMax
  }

  /** Notes a control batch. */
  control(batch: RecordBatchReader): void {
    if (isAbortMarker(batch)) this.#succession.marked(batch)
  }

  /** Whether note() must look at the keys of a batch. To be called for each batch, in log order. */
  concerns(batch: RecordBatchReader): boolean {
    this.#isLate = this.#succession.isLate(batch)
    if (this.#isLate && batch.recordCount > 0) this.#isDisputed = true
    return this.#isDisputed
  }

  /**
   * Collects the disputed keys of a batch whose records are open.
   * @param trail source offsets of everything before the batch
   */
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
    // The first key always fits, so that each reading makes progress.
    if (this.#bytes > this.#bytesMax && this.keys.size > 0) this.overflowedAt = offset
    else this.keys.add(key)
  }
}
