/**
 * The state of one primary partition on its way from source to changelog: read position, batches that wait to be
 * written, acknowledged position. Only its methods change it. Invariants:
 * - `acknowledged` never exceeds `consumed` by decoding, and falls only with rewind().
 * - Everything consumed is acknowledged, skipped, in a waiting batch, in flight, or held for dead letters.
 * - While dead letters are not acknowledged, no batch is given out and `acknowledged` stays.
 * - While a stranger is held back, no batch is given out.
 * - While the partition is withheld, only amendments are given out.
 * - `bytes` is the size of all batches that wait in `queue`, are in flight, or hold dead letters.
 */
import { EpochTrail } from '../../kafka/epoch-trail.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'
import { ChangelogQueue } from './changelog-queue.ts'
import { DeadLetterHold } from './dead-letter-hold.ts'
import { PendingValues } from './pending-values.ts'
import { ReadState } from './read-state.ts'
import type { RereadFilter } from './reread-filter.ts'
import type { StrangerHold } from './stranger-holds.ts'

export interface PartitionStart {
  /** Offset in the source. */
  position: number
  /** Leader epochs of what was read before and will be read. */
  epochs: EpochTrail
}

const always = () => true

export class PartitionIngest {
  readonly partition: number
  /** Latest values by key that the map does not show yet; undefined without callbacks. */
  readonly pendingValues: PendingValues | undefined
  /** Leader epochs of what was read from the source. */
  readonly epochs: EpochTrail
  readonly reading = new ReadState()
  /** Looks at keys that are appended; undefined without a group. */
  readonly strangerHold: StrangerHold | undefined
  readonly deadLetters = new DeadLetterHold()
  /** Batches that wait to be written. */
  readonly queue: ChangelogQueue
  #consumed: number
  #acknowledged: number
  #inFlight = 0
  #inFlightBytes = 0
  #bytesReported = 0
  #directWrites = 0
  #directWritesSettled = 0
  #reread: RereadFilter | undefined

  /**
   * @param position source offset to begin at
   * @param epochs leader epochs of what was read before it
   */
  constructor(
    partition: number,
    position: number,
    pool: BatchPool,
    hasCallbacks = false,
    epochs = new EpochTrail(),
    strangerHold?: StrangerHold,
  ) {
    this.strangerHold = strangerHold
    this.partition = partition
    this.epochs = epochs
    this.pendingValues = hasCallbacks ? new PendingValues() : undefined
    this.queue = new ChangelogQueue(pool)
    this.#consumed = position
    this.#acknowledged = position
  }

  /** Source offset up to which records were decoded. */
  get consumed(): number {
    return this.#consumed
  }

  /** Source offset up to which everything is acknowledged by the changelog, or skipped. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Number of batches passed to the producer and not settled. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Bytes that are encoded and not settled, dead letters included. */
  get bytes(): number {
    return this.queue.bytes + this.#inFlightBytes + this.deadLetters.bytes
  }

  /** Set while the source is read again for some keys. */
  get reread(): RereadFilter | undefined {
    return this.#reread
  }

  get unsettledWrites(): number {
    return this.#directWrites - this.#directWritesSettled
  }

  get isIdle(): boolean {
    return this.#inFlight === 0 && this.queue.isEmpty && this.deadLetters.count === 0
  }

  get mayFetch(): boolean {
    return this.reading.mayRead && !this.isWithheld
  }

  /** Whether the partition's own batches wait and only amendments are written. */
  get isWithheld(): boolean {
    return this.queue.isWithheld
  }

  /** Number of amendment batches that are not settled. */
  get amendmentsLeft(): number {
    return this.queue.amendments + this.#inFlight
  }

  /** Begins or ends the selection of records while the source is read again. */
  setReread(reread: RereadFilter | undefined): void {
    this.#reread = reread
  }

  /** Notes that the source was decoded, or skipped, up to an offset. */
  consumeTo(next: number): void {
    this.#consumed = next
  }

  /** Notes that a program wrote the record appended last. */
  countDirectWrite(): void {
    this.queue.countDirectWrite()
    this.#directWrites++
  }

  settleDirectWrites(count: number): void {
    this.#directWritesSettled += count
  }

  /**
   * Gives out the oldest batch to write; undefined if there is none.
   * @param isDue whether to write the open batch although it is not full
   */
  takeBatch(isDue: (openedAt: number) => boolean = always): ChangelogBatch | undefined {
    if (this.deadLetters.count > 0 || this.strangerHold?.isHeld === true) return undefined
    const batch = this.queue.shift(isDue)
    if (batch === undefined) return undefined
    this.#inFlight++
    this.#inFlightBytes += batch.bytes
    return batch
  }

  /** Puts batches back to the front that the producer returned without having written any of their records. */
  putBack(batches: readonly ChangelogBatch[]): void {
    this.#withdraw(batches)
    this.queue.putBack(batches)
  }

  /** Notes the batches that the producer writes instead of a refused one. settle() must follow for that one. */
  replace(replacements: readonly ChangelogBatch[]): void {
    this.#inFlight += replacements.length
    for (const { bytes } of replacements) this.#inFlightBytes += bytes
  }

  /**
   * Settles a batch in flight.
   * @param operations number of operations put into the map since the beginning; undefined if other batches contain the
   *   records of this one
   */
  settle({ bytes, nextSource }: ChangelogBatch, operations: number | undefined): void {
    this.#inFlightBytes -= bytes
    this.#inFlight--
    if (operations === undefined) return
    this.pendingValues?.acknowledged(this.isIdle ? Number.POSITIVE_INFINITY : nextSource, operations)
    this.#advance(nextSource)
  }

  /** Skipped records count as acknowledged when nothing before them waits. */
  advance(): void {
    this.#advance(this.#acknowledged)
  }

  /**
   * Withholds the partition's own batches from now on.
   * @param withdrawn batches that the producer returned; none of their records was written
   * @returns amendment batches of an earlier withholding, which are dropped
   */
  withhold(withdrawn: readonly ChangelogBatch[] = []): ChangelogBatch[] {
    this.putBack(withdrawn.filter((batch) => !batch.isAmendment))
    const inFlight = withdrawn.filter((batch) => batch.isAmendment)
    this.#withdraw(inFlight)
    return [...inFlight, ...this.queue.withhold()]
  }

  /**
   * Drops everything that waits to be written. The state is then as if nothing from `offset` on had been read.
   * @param withdrawn batches that the producer returned, to be dropped too
   * @returns the dropped batches
   */
  takeBack(offset: number, withdrawn: readonly ChangelogBatch[] = []): ChangelogBatch[] {
    this.#withdraw(withdrawn)
    this.#consumed = offset
    return [...withdrawn, ...this.queue.drain()]
  }

  /**
   * Called when the changelog has lost what was acknowledged from `offset` on.
   * @returns the dropped batches
   */
  rewind(offset: number): ChangelogBatch[] {
    this.pendingValues?.clear()
    this.#acknowledged = Math.min(this.#acknowledged, offset)
    return this.takeBack(offset)
  }

  /** Returns the bytes that takeBytesChange() has reported, for a partition that is lost. */
  get bytesReported(): number {
    return this.#bytesReported
  }

  /** Returns by how much `bytes` has changed since the last call. */
  takeBytesChange(): number {
    const change = this.bytes - this.#bytesReported
    this.#bytesReported += change
    return change
  }

  /** @returns a function that returns whether everything read and written up to now is acknowledged */
  settledMark(): () => boolean {
    const consumed = this.#consumed
    const writes = this.#directWrites
    return () => this.#acknowledged >= consumed && this.#directWritesSettled >= writes
  }

  /** Notes that batches are not in flight any more. */
  #withdraw(batches: readonly ChangelogBatch[]): void {
    this.#inFlight -= batches.length
    for (const { bytes } of batches) this.#inFlightBytes -= bytes
  }

  /** Skipped records after the last batch count as acknowledged with it. */
  #advance(nextSource: number): void {
    if (this.deadLetters.count > 0) return
    this.#acknowledged = Math.max(this.#acknowledged, this.isIdle ? this.#consumed : nextSource)
  }
}
