/**
 * Iterates over the batches of one fetched partition and classifies what a read_committed consumer may see. The broker
 * also sends aborted records, with a list of aborted transactions. A batch is aborted from its transaction's first
 * offset until the abort marker of the same producer. The rule is that of the Java consumer's CompletedFetch.
 * (kafkajs's own filter lets aborted records through where transactions overlap.)
 */
import { LatchkeyError } from '../errors.ts'
import type { AbortedTransaction, FetchedPartition } from './protocol/fetch.ts'
import { abortMarker, RecordBatchReader } from './record-batch/index.ts'

export type BatchKind = 'records' | 'control' | 'aborted'

/**
 * Bytes to decompress in one pass. A response of a few megabytes may hold a thousand times as much, in many batches.
 */
export const decompressedBytesMax = 32 << 20

export class CommittedBatches {
  /** The batch that next() stopped at. For kind `records`, the caller calls openRecords() and nextRecord(). */
  readonly batch = new RecordBatchReader()
  #aborted: AbortedTransaction[] = []
  #nextAborted = 0
  readonly #abortedProducers = new Set<number>()
  #position = 0
  #end = 0
  #decompressedBytes = 0
  #decompressedMax = decompressedBytesMax

  /**
   * @param position requested offset; next() skips batches that end before it
   * @param bytesMax bytes to decompress, including the batch that exceeds it; at most the default
   */
  open(fetched: FetchedPartition, position: number, bytesMax = decompressedBytesMax): void {
    this.#decompressedMax = Math.min(bytesMax, decompressedBytesMax)
    this.batch.open(fetched.buffer, fetched.start, fetched.end)
    this.#aborted = fetched.abortedTransactions.toSorted((a, b) => a.firstOffset - b.firstOffset)
    this.#nextAborted = 0
    this.#abortedProducers.clear()
    this.#position = position
    this.#end = 0
    this.#decompressedBytes = 0
  }

  /**
   * Whether next() stopped because it has decompressed enough. Fetch the rest again, from the end of the last batch.
   */
  get isEnough(): boolean {
    return this.#decompressedBytes >= this.#decompressedMax
  }

  /** Returns the kind of the next batch; undefined at the end, and once isEnough. Throws `record_batch_corrupt`. */
  next(): BatchKind | undefined {
    const { batch } = this
    if (batch.compression !== 0) this.#decompressedBytes += batch.data.length
    while (!this.isEnough && batch.nextBatch()) {
      this.#checkOrder()
      this.#beginAborted(batch.nextOffset - 1)
      if (batch.isControl) {
        if (this.#abortedProducers.has(batch.producerId) && batch.controlType() === abortMarker) {
          this.#abortedProducers.delete(batch.producerId)
        }
        if (batch.nextOffset > this.#position) return 'control'
      } else if (batch.nextOffset > this.#position) {
        const aborted = batch.isTransactional && this.#abortedProducers.has(batch.producerId)
        return aborted ? 'aborted' : 'records'
      }
    }
    return undefined
  }

  /** Checks that base offsets rise. A batch's CRC does not cover its base offset. */
  #checkOrder(): void {
    const { baseOffset, nextOffset } = this.batch
    if (baseOffset < this.#end) {
      const found = `base offset ${baseOffset} after a batch that ends before offset ${this.#end}`
      throw new LatchkeyError('record_batch_corrupt', `Reading record batches: ${found}`)
    }
    this.#end = nextOffset
  }

  #beginAborted(lastOffset: number): void {
    while (this.#nextAborted < this.#aborted.length && this.#aborted[this.#nextAborted]!.firstOffset <= lastOffset) {
      this.#abortedProducers.add(this.#aborted[this.#nextAborted++]!.producerId)
    }
  }
}
