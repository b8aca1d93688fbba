/** One primary partition on its way from source to changelog: how far it was read, what waits to be written, how far that is acknowledged. */
import { EpochTrail } from '../../kafka/epoch-trail.ts'
import { type ChangelogBatch } from './changelog-batch.ts'
import { PendingValues } from './pending-values.ts'
import { type Reread } from './reread.ts'

/** Where a partition stopped, and why. */
export interface Halt {
  /** Of the source record that cannot be stored. */
  offset: number
  fault: string
}

export interface PartitionStart {
  /** In the source. */
  position: number
  /** Of what was read before, and will be. */
  epochs: EpochTrail
}

export class PartitionIngest {
  readonly partition: number
  /** Source offset up to which records were decoded. */
  consumed: number
  /** Source offset up to which everything is acknowledged by the changelog, or skipped. */
  acknowledged: number
  /** Batches that are full, oldest first, before the open one. */
  readonly full: ChangelogBatch[] = []
  open: ChangelogBatch | undefined
  /** When the open batch got its first record (performance.now()). */
  openedAt = 0
  /** Batches given to the producer and not yet settled. */
  inFlight = 0
  /** Encoded and not yet settled. */
  bytes = 0
  /** Records that a program has written itself, and how many of them are acknowledged or refused. */
  directWrites = 0
  directWritesSettled = 0
  /** The record that it halted at and what is wrong with it: nothing from there on is consumed. */
  halt: Halt | undefined
  /** Batches of dead letters that are not acknowledged: until then nothing is written to the changelog, nor counts as acknowledged. */
  letters = 0
  /** Of those letters, encoded. */
  letterBytes = 0
  /** Where it stands still at a record for a time: resolves when to go on with that. */
  waiting: Promise<void> | undefined
  /** The source is read for it, unless something keeps it from that. */
  isFollowed = false
  /** Its changelog takes nothing, and as much waits as may. */
  isPaused = false
  /** Batches that are written while its own wait; undefined where its own are written. */
  #amendments: ChangelogBatch[] | undefined
  /** What keys have by records that memory does not show yet, where callbacks have to know. */
  readonly pendingValues: PendingValues | undefined
  /** While the source is read again for some keys. */
  reread: Reread | undefined
  /** Leader epochs of what was read of the source. */
  readonly epochs: EpochTrail

  /** @param position source offset to begin at @param epochs of what was read before it */
  constructor(partition: number, position: number, hasCallbacks = false, epochs = new EpochTrail()) {
    this.epochs = epochs
    this.pendingValues = hasCallbacks ? new PendingValues() : undefined
    this.partition = partition
    this.consumed = position
    this.acknowledged = position
  }

  get isIdle(): boolean {
    return this.#hasWrittenAll && this.full.length === 0 && this.open === undefined && this.letters === 0
  }

  get mayFetch(): boolean {
    const mayRead = this.isFollowed && !this.isPaused && this.halt === undefined
    return mayRead && this.waiting === undefined && !this.isWithheld
  }

  /** Its own batches wait: only amendments are written. */
  get isWithheld(): boolean {
    return this.#amendments !== undefined
  }

  /** Of what was given to be written as an amendment, batches that are not settled. */
  get amendmentsLeft(): number {
    return (this.#amendments?.length ?? 0) + this.inFlight
  }

  /** From now on only amendments are written. @returns those that a former withholding has left, to be forgotten */
  withhold(): ChangelogBatch[] {
    const left = this.#amendments ?? []
    this.#amendments = []
    return left
  }

  amend(batch: ChangelogBatch): void {
    batch.isAmendment = true
    this.#amendments!.push(batch)
  }

  /** Its own batches are written again. */
  release(): void {
    this.#amendments = undefined
  }

  /** Batches that were given to the producer, and nothing of them was written: they come first again. */
  putBack(batches: readonly ChangelogBatch[]): void {
    this.inFlight -= batches.length
    this.full.unshift(...batches)
  }

  get #hasWrittenAll(): boolean {
    return this.inFlight === 0 && (this.#amendments?.length ?? 0) === 0
  }

  /** The oldest batch to write; undefined if there is none. @param isDue whether the open one is to be written as it is */
  takeBatch(isDue: (openedAt: number) => boolean = () => true): ChangelogBatch | undefined {
    if (this.letters > 0) return undefined
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

  /** Puts a batch of one record behind all that waits to be written. */
  pushAlone(batch: ChangelogBatch): void {
    if (this.open !== undefined) this.full.push(this.open)
    this.open = undefined
    this.full.push(batch)
    this.bytes += batch.bytes
  }

  /** Everything that waits to be written, so that it is not: it is as if nothing was read from `offset` on. */
  takeBack(offset: number): ChangelogBatch[] {
    const waiting = this.open === undefined ? this.full.splice(0) : [...this.full.splice(0), this.open]
    this.open = undefined
    this.consumed = offset
    return waiting
  }

  /** The changelog does not have what was acknowledged from `offset` on. @returns what waits to be written */
  rewind(offset: number): ChangelogBatch[] {
    this.pendingValues?.clear()
    this.acknowledged = Math.min(this.acknowledged, offset)
    return this.takeBack(offset)
  }

  /** The changelog has all below `nextSource`, or never will; so many operations were put into memory since the beginning. */
  settled(nextSource: number, operations: number): void {
    this.pendingValues?.acknowledged(this.isIdle ? Number.POSITIVE_INFINITY : nextSource, operations)
    this.advance(nextSource)
  }

  /** Skipped records behind the last batch count as acknowledged with it. */
  advance(nextSource: number): void {
    if (this.letters > 0) return
    this.acknowledged = Math.max(this.acknowledged, this.isIdle ? this.consumed : nextSource)
  }
}

/** @returns whether all that the partitions have read and written up to now is acknowledged, or theirs no more */
export function takenIsSettled(partitions: ReadonlyMap<number, PartitionIngest>): () => boolean {
  const taken = [...partitions.values()].map((one) => ({ one, consumed: one.consumed, writes: one.directWrites }))
  return () =>
    taken.every(({ one, consumed, writes }) => {
      if (partitions.get(one.partition) !== one) return true
      return one.acknowledged >= consumed && one.directWritesSettled >= writes
    })
}
