/**
 * Keys whose last record in the changelog may not be their newest, because of late batches (succession.ts). A key is
 * disputed if one of its records, in or after a late batch, has a lower source offset than records before it, or is
 * from another producer than the owner and ahead of what is committed. A second reading decides which record is the
 * newest: settle.ts.
 *
 * The check runs once a batch, and nothing is kept of batches before the first late one. Falling source offsets without
 * a late batch are correct: an owner that amends or rebuilds writes them.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { SuccessionState } from '../../store-protocol/snapshot-facts.ts'
import type { OwnTrail } from './own-trail.ts'
import { discardOffset, orderOf, type SourceTrail } from './source-trail.ts'
import { isAbortMarker, Succession } from './succession.ts'

/** Maximum of the keys' bytes, and the overhead of a string. */
const keyBytesMax = 16 << 20
const keyOverheadBytes = 96

export class DisputedKeys {
  /** One character is one byte of a key (latin1). */
  readonly keys = new Set<string>()
  readonly #succession: Succession
  readonly #from: number
  readonly #bytesMax: number
  #bytes = 0
  #overflowedAt = Number.POSITIVE_INFINITY
  #isDisputed = false
  /** Whether the batch of the last concerns() call is late. */
  #isLate = false
  /** Whether it is in addition from another producer than the owner. */
  #isOther = false

  /**
   * @param from changelog offset before which keys are ignored, because an earlier reading took them
   * @param succession owners of the batches before those that follow
   */
  constructor(from = 0, bytesMax = keyBytesMax, succession = new Succession()) {
    this.#from = from
    this.#bytesMax = bytesMax
    this.#succession = succession
  }

  /** Owners of the batches that were read. */
  get owners(): SuccessionState {
    return this.#succession.state
  }

  /**
   * Changelog offset of the first record whose key did not fit. Another reading takes the keys from there on. Infinity
   * if all keys fit.
   */
  get overflowedAt(): number {
    return this.#overflowedAt
  }

  get isLate(): boolean {
    return this.#isLate
  }

  get isOther(): boolean {
    return this.#isOther
  }

  /** Notes a control batch. @param trail notes whose marker it is */
  control(batch: RecordBatchReader, trail?: OwnTrail): void {
    if (!isAbortMarker(batch)) return
    const isSame = this.#succession.marked(batch)
    trail?.marked(batch, isSame)
  }

  /** Whether note() must look at the keys of a batch. To be called for each batch, in log order. */
  concerns(batch: RecordBatchReader): boolean {
    this.#isLate = this.#succession.isLate(batch)
    this.#isOther = this.#isLate && this.#succession.isForeign(batch)
    if (this.#isLate && batch.recordCount > 0) this.#isDisputed = true
    return this.#isDisputed
  }

  /**
   * Collects the disputed keys of a batch whose records are open.
   * @param trail source offsets of everything before the batch
   * @param committed source offset that the group has committed
   */
  note(batch: RecordBatchReader, trail: SourceTrail, committed: number): void {
    let reached = trail.reached
    while (batch.nextRecord()) {
      if (batch.undecodable || batch.keyLength < 0) continue
      const order = orderOf(batch)
      if (this.#isOther && order >= committed) this.#take(batch)
      else if (order === discardOffset) reached = -1
      else if (order >= reached) reached = order
      else if (this.#isLate || order >= 0) this.#take(batch)
    }
  }

  #take({ data, keyStart, keyLength, offset }: RecordBatchReader): void {
    if (offset < this.#from || offset >= this.#overflowedAt) return
    const key = data.toString('latin1', keyStart, keyStart + keyLength)
    if (this.keys.has(key)) return
    this.#bytes += keyLength + keyOverheadBytes
    // The first key always fits, so that each reading makes progress.
    if (this.#bytes > this.#bytesMax && this.keys.size > 0) this.#overflowedAt = offset
    else this.keys.add(key)
  }
}
