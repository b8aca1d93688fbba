/**
 * The state of one primary partition on its way from source to changelog: read position, batches that wait to be
 * written, acknowledged position.
 */
import { EpochTrail } from '../../kafka/epoch-trail.ts'
import type { ChangelogBatch } from './changelog-batch.ts'
import { PendingValues } from './pending-values.ts'
import type { Reread } from './reread.ts'

/** Where a partition halted, and why. */
export interface Halt {
  /** Offset of the source record that cannot be stored. */
  offset: number
  fault: string
}

export interface PartitionStart {
  /** Offset in the source. */
  position: number
  /** Leader epochs of what was read before and will be read. */
  epochs: EpochTrail
}

export class PartitionIngest {
  readonly partition: number
  /** Source offset up to which records were decoded. */
  consumed: number
  /** Source offset up to which everything is acknowledged by the changelog, or skipped. */
  acknowledged: number
  /** Full batches, oldest first. They precede the open batch. */
  readonly full: ChangelogBatch[] = []
  open: ChangelogBatch | undefined
  /** When the open batch got its first record (performance.now()). */
  openedAt = 0
  /** Batches passed to the producer and not settled. */
  inFlight = 0
  /** Bytes that are encoded and not settled. */
  bytes = 0
  /** Records that a program wrote; below, how many of them are acknowledged or refused. */
  directWrites = 0
  directWritesSettled = 0
  /** The record at which the partition halted, and the cause. Nothing from there on is consumed. */
  halt: Halt | undefined
  /**
   * Dead-letter batches that are not acknowledged. While there are any, nothing is written to the changelog or counts
   * as acknowledged.
   */
  deadLetters = 0
  /** Encoded bytes of those batches. */
  deadLetterBytes = 0
  /** Set while the partition waits at a record; resolves when to continue with that record. */
  waiting: Promise<void> | undefined
  /** Whether the source is to be read, unless something else prevents it. */
  isFollowed = false
  /** Whether the changelog acknowledges nothing and the partition's share of the backlog is used up. */
  isPaused = false
  /**
   * Amendment batches, which are written while the partition's own batches wait; undefined while its own are written.
   */
  #amendments: ChangelogBatch[] | undefined
  /** Latest values by key that the map does not show yet; undefined without callbacks. */
  readonly pendingValues: PendingValues | undefined
  /** Set while the source is read again for some keys. */
  reread: Reread | undefined
  /** Leader epochs of what was read from the source. */
  readonly epochs: EpochTrail

  /**
   * @param position source offset to begin at
   * @param epochs leader epochs of what was read before it
   */
  constructor(partition: number, position: number, hasCallbacks = false, epochs = new EpochTrail()) {
    this.epochs = epochs
    this.pendingValues = hasCallbacks ? new PendingValues() : undefined
    this.partition = partition
    this.consumed = position
    this.acknowledged = position
  }

  get isIdle(): boolean {
    return this.#hasWrittenAll && this.full.length === 0 && this.open === undefined && this.deadLetters === 0
  }

  get mayFetch(): boolean {
    const mayRead = this.isFollowed && !this.isPaused && this.halt === undefined
    return mayRead && this.waiting === undefined && !this.isWithheld
  }

  /** Whether the partition's own batches wait and only amendments are written. */
  get isWithheld(): boolean {
    return this.#amendments !== undefined
  }

  /** Number of amendment batches that are not settled. */
  get amendmentsLeft(): number {
    return (this.#amendments?.length ?? 0) + this.inFlight
  }

  /**
   * Withholds the partition's own batches from now on.
   * @returns amendment batches of an earlier withholding, to be dropped
   */
  withhold(): ChangelogBatch[] {
    const left = this.#amendments ?? []
    this.#amendments = []
    return left
  }

  amend(batch: ChangelogBatch): void {
    batch.isAmendment = true
    this.#amendments!.push(batch)
  }

  /** Ends the withholding. */
  release(): void {
    this.#amendments = undefined
  }

  /** Puts batches back to the front that the producer returned without having written any of their records. */
  putBack(batches: readonly ChangelogBatch[]): void {
    this.inFlight -= batches.length
    this.full.unshift(...batches)
  }

  get #hasWrittenAll(): boolean {
    return this.inFlight === 0 && (this.#amendments?.length ?? 0) === 0
  }

  /**
   * Returns the oldest batch to write; undefined if there is none.
   * @param isDue whether to write the open batch although it is not full
   */
  takeBatch(isDue: (openedAt: number) => boolean = () => true): ChangelogBatch | undefined {
    if (this.deadLetters > 0) return undefined
    if (this.#amendments !== undefined) {
      const amendment = this.#amendments.shift()
      if (amendment !== undefined) this.inFlight++
      return amendment
    }
    const batch = this.full.shift() ?? (isDue(this.openedAt) ? this.open : undefined)
    if (batch !== undefined && batch === this.open) this.open = undefined
    if (batch !== undefined) this.inFlight++
    return batch
  }

  /** Appends a batch of one record after everything that waits. */
  pushAlone(batch: ChangelogBatch): void {
    if (this.open !== undefined) this.full.push(this.open)
    this.open = undefined
    this.full.push(batch)
    this.bytes += batch.bytes
  }

  /**
   * Removes and returns everything that waits to be written. The state is then as if nothing from `offset` on had been
   * read.
   */
  takeBack(offset: number): ChangelogBatch[] {
    const waiting = this.open === undefined ? this.full.splice(0) : [...this.full.splice(0), this.open]
    this.open = undefined
    this.consumed = offset
    return waiting
  }

  /**
   * Called when the changelog has lost what was acknowledged from `offset` on.
   * @returns the batches that wait to be written
   */
  rewind(offset: number): ChangelogBatch[] {
    this.pendingValues?.clear()
    this.acknowledged = Math.min(this.acknowledged, offset)
    return this.takeBack(offset)
  }

  /**
   * Called when the changelog has everything below `nextSource`, or will never have it.
   * @param operations number of operations put into the map since the beginning
   */
  settled(nextSource: number, operations: number): void {
    this.pendingValues?.acknowledged(this.isIdle ? Number.POSITIVE_INFINITY : nextSource, operations)
    this.advance(nextSource)
  }

  /** Moves `acknowledged` on. Skipped records after the last batch count as acknowledged with it. */
  advance(nextSource: number): void {
    if (this.deadLetters > 0) return
    this.acknowledged = Math.max(this.acknowledged, this.isIdle ? this.consumed : nextSource)
  }
}

/**
 * @returns a function that returns whether everything read and written up to now is acknowledged, or its partition is
 *   lost
 */
export function takenIsSettled(partitions: ReadonlyMap<number, PartitionIngest>): () => boolean {
  const taken = [...partitions.values()].map((one) => ({ one, consumed: one.consumed, writes: one.directWrites }))
  return () =>
    taken.every(({ one, consumed, writes }) => {
      if (partitions.get(one.partition) !== one) return true
      return one.acknowledged >= consumed && one.directWritesSettled >= writes
    })
}
