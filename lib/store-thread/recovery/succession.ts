/**
 * Tracks the owner of a changelog partition while its batches are read, and so detects late batches: those that an
 * owner wrote after its successor.
 *
 * The broker refuses late batches only for a limited time: it forgets a transactional id after seven days, a producer
 * after one. A batch that was in flight or frozen for longer is appended after the successor's batches.
 */

import { abortMarker, type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { SuccessionState } from '../../store-protocol/snapshot-facts.ts'

/** The producer fields of a record batch. */
interface Written {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Whether a batch is an abort marker. A fence writes one. */
export function isAbortMarker(batch: RecordBatchReader): boolean {
  return batch.isControl && batch.controlType() === abortMarker
}

/** Maximum number of former owners that are remembered, and of those in a state. */
const followedMax = 4_096
const stateFollowedMax = 256

export class Succession {
  /** Name of the current owner; undefined before the first batch. */
  #owner: string | undefined
  #producerId = -1
  #producerEpoch = -1
  #hasMarker = false
  /** Names of former owners. */
  readonly #followed = new Set<string>()

  /** @param state of the batches before those that follow; by default there are none */
  constructor(state?: SuccessionState) {
    if (state === undefined) return
    this.#hasMarker = state.hasMarker
    for (const name of state.followed) this.#followed.add(name)
    if (state.owner !== undefined) this.#follow(state.owner)
  }

  get state(): SuccessionState {
    const producer = { producerId: this.#producerId, producerEpoch: this.#producerEpoch }
    return {
      owner: this.#owner === undefined ? undefined : producer,
      hasMarker: this.#hasMarker,
      followed: [...this.#followed].slice(-stateFollowedMax),
    }
  }

  /** Notes an owner that leaves no marker (FENCING=false): what it writes is not late, although an earlier owner has left one. */
  took(owner: Written): void {
    this.#hasMarker = false
    this.#follow(owner)
  }

  /**
   * Notes an abort marker. From there on its producer owns the partition.
   * @returns whether the partition keeps its producer: it was taken again, and no other instance has taken it in between
   */
  marked(batch: Written): boolean {
    const isSame = this.#hasMarker && batch.producerId === this.#producerId
    this.#hasMarker = true
    this.#follow(batch)
    return isSame
  }

  /** Whether a late batch is from another producer than the one whose marker was read last. */
  isForeign({ producerId }: Written): boolean {
    return this.#hasMarker && producerId !== this.#producerId
  }

  /**
   * Whether a batch is late. After a marker only its producer writes, possibly with a later epoch whose marker
   * compaction has removed. Without any marker before (Kafka Streams or FENCING=false), each new producer becomes the
   * owner, and a former owner that writes again is late.
   */
  isLate(batch: Written): boolean {
    const { producerId, producerEpoch } = batch
    if (producerId === this.#producerId && producerEpoch === this.#producerEpoch && this.#owner !== undefined) {
      return false
    }
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
