/**
 * Who owns a changelog partition at each place of it, and so which batches are late: written by an owner that another has followed.
 *
 * The broker refuses those, but it forgets: a transactional id after seven days, a producer after one. Then a batch that was under way or frozen for
 * longer is appended behind what its successor wrote.
 */

import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'

/** Of a record batch. */
interface Written {
  readonly producerId: number
  readonly producerEpoch: number
}

const abortMarker = 0

/** Of a fence, if the batch is a marker at all. */
export function isAbortMarker(batch: RecordBatchReader): boolean {
  return batch.isControl && batch.controlType() === abortMarker
}

/** An owner is remembered by this many followers at most. */
const followedMax = 4_096

export class Succession {
  /** By name. The owner whose place this is; undefined before the first batch. */
  #owner: string | undefined
  #producerId = -1
  #producerEpoch = -1
  #hasMarker = false
  /** Owners that another has followed. */
  readonly #followed = new Set<string>()

  /** An abort marker: from here on its producer owns the partition. */
  marked(batch: Written): void {
    this.#hasMarker = true
    this.#follow(batch)
  }

  /**
   * Whether a batch is late. Behind a marker only its producer writes, and that with later epochs, where the cleaner has removed their markers. Where
   * no marker stands before (Kafka Streams wrote it, or FENCING=false), whoever writes follows, and who writes again after that is late.
   */
  isLate(batch: Written): boolean {
    const { producerId, producerEpoch } = batch
    if (producerId === this.#producerId && producerEpoch === this.#producerEpoch && this.#owner !== undefined)
      return false
    const isLate = this.#hasMarker
      ? producerId !== this.#producerId || producerEpoch < this.#producerEpoch
      : this.#followed.has(nameOf(batch))
    if (!isLate) this.#follow(batch)
    return isLate
  }

  #follow(batch: Written): void {
    const name = nameOf(batch)
    if (name === this.#owner) return
    if (this.#owner !== undefined) this.#followed.add(this.#owner)
    if (this.#followed.size > followedMax) this.#followed.delete(this.#followed.values().next().value!)
    this.#owner = name
    this.#producerId = batch.producerId
    this.#producerEpoch = batch.producerEpoch
  }
}

function nameOf({ producerId, producerEpoch }: Written): string {
  return `${producerId} ${producerEpoch}`
}
