/**
 * The source trail of a changelog, and what other producers wrote between two markers of its owner. No one has taken the
 * partition in between. So such a batch is from an earlier owner, from another program with headers of its choice, or
 * from this store without fencing. If it states a source offset that neither the owner has reached nor the group has
 * committed, that does not count. Before the second marker it counts, because it may be the batch of a later owner
 * whose marker compaction has removed.
 */
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { RecordTrail } from '../apply.ts'
import { SourceTrail } from './source-trail.ts'

/** A range of changelog offsets in which batches of producers other than the owner are foreign. */
export interface OwnedRange {
  readonly from: number
  /** Offset of the marker that ends it. */
  readonly to: number
  readonly producerId: number
  /** Orders above do not count in it, see orderOf(). */
  readonly vouchedTo: number
}

/** Maximum number of ranges. Batches of others after them count as late batches. */
const rangesMax = 10_000

export class OwnTrail {
  /** Source offset that the group has committed; -1 if there is none. */
  readonly committed: number
  readonly #owned: OwnedRange[] = []
  #trail: SourceTrail
  /** Without the batches of other producers since the last marker; undefined if there are none. */
  #own: SourceTrail | undefined
  #from = 0
  readonly #both: RecordTrail = {
    note: (batch, sourceOffset) => {
      this.#trail.note(batch, sourceOffset)
      this.#own!.note(batch, sourceOffset)
    },
    settle: (batch) => {
      this.#trail.settle(batch)
      this.#own!.settle(batch)
    },
  }

  /** @param trail of what was read before */
  constructor(committed = -1, trail = new SourceTrail()) {
    this.committed = committed
    this.#trail = trail
  }

  /** What is known of everything that was read. */
  get trail(): SourceTrail {
    return this.#trail
  }

  /** Returns what notes the records of a batch. @param isOther whether it is from another producer than the owner */
  of(batch: RecordBatchReader, isOther: boolean): RecordTrail {
    if (!isOther) return this.#own === undefined ? this.#trail : this.#both
    if (this.#own === undefined) {
      this.#own = this.#trail.copy()
      this.#from = batch.baseOffset
    }
    return this.#trail
  }

  /** Notes a marker. @param isSame whether it is from the producer of the marker before */
  marked({ baseOffset, producerId }: RecordBatchReader, isSame: boolean): void {
    const own = this.#own
    this.#own = undefined
    if (own === undefined || !isSame || this.#owned.length >= rangesMax) return
    const vouchedTo = Math.max(own.reached, this.committed - 0.5)
    this.#owned.push({ from: this.#from, to: baseOffset, producerId, vouchedTo })
    if (this.#trail.reached <= vouchedTo) return
    own.raiseAfter(this.committed - 1)
    this.#trail = own
  }

  /** Returns the range in which a batch that was read is foreign. */
  rangeOf({ baseOffset, producerId }: RecordBatchReader): OwnedRange | undefined {
    return this.#owned.find(({ from, to, producerId: owner }) => {
      return baseOffset >= from && baseOffset < to && producerId !== owner
    })
  }
}
