/**
 * Walks the batches of one fetched partition and tells what a read_committed consumer may see. The broker sends aborted records too, with a
 * list of aborted transactions; a batch is aborted from its transaction's first offset until the abort marker of the same producer.
 * The rule is that of the Java consumer's CompletedFetch. (kafkajs's own filter lets aborted records through where transactions overlap.)
 */
import { LatchkeyError } from '../errors.ts'
import { type AbortedTransaction, type FetchedPartition } from './protocol/fetch.ts'
import { RecordBatchReader } from './record-batch/index.ts'

export type BatchKind = 'records' | 'control' | 'aborted'

const abortMarker = 0

/** What is decompressed in one go: a response of a few megabytes may hold a thousand times as much, one batch after another. */
const decompressedBytesMax = 32 << 20

export class CommittedBatches {
  /** The batch that next() stopped at; for kind `records`, openRecords() and nextRecord() are the caller's. */
  readonly batch = new RecordBatchReader()
  #aborted: AbortedTransaction[] = []
  #nextAborted = 0
  readonly #abortedProducers = new Set<number>()
  #position = 0
  #end = 0
  #decompressedBytes = 0

  /** @param position offset that was asked for: batches that end before it are passed over */
  open(fetched: FetchedPartition, position: number): void {
    this.batch.open(fetched.buffer, fetched.start, fetched.end)
    this.#aborted = fetched.abortedTransactions.toSorted((a, b) => a.firstOffset - b.firstOffset)
    this.#nextAborted = 0
    this.#abortedProducers.clear()
    this.#position = position
    this.#end = 0
    this.#decompressedBytes = 0
  }

  /** Whether next() has ended for what was decompressed: the rest is to be fetched again, behind the last batch. */
  get isEnough(): boolean {
    return this.#decompressedBytes >= decompressedBytesMax
  }

  /** The kind of the next batch; undefined at the end, and where it isEnough. Throws `record_batch_corrupt`. */
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

  /** A batch's own CRC does not cover its base offset. */
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
