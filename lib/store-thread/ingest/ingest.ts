/**
 * Moves records from the source to the changelog and then to the map. Records are encoded into changelog batches as
 * they are decoded. Only records that the changelog has acknowledged are applied to the map. The bytes that wait for an
 * acknowledgement are bounded.
 */
import type { PartitionEnd } from '../../kafka/producer.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import type { StoreContext } from '../store-context.ts'
import { Amending } from './amending.ts'
import type { Amendment } from './amendment.ts'
import { BadRecords } from './bad-records.ts'
import { ChangelogWriter } from './changelog-writer.ts'
import type { Conversion } from './conversion.ts'
import { type DeadLetters, deadLettersOf } from './dead-letters.ts'
import { decodingOf } from './decoding.ts'
import { type DirectRecords, DirectWrites } from './direct-writes.ts'
import { type IngestContext, ingestContextOf } from './ingest-context.ts'
import { PartitionIngest, type PartitionStart } from './partition-ingest.ts'
import type { PartitionLifecycle } from './partition-lifecycle.ts'
import type { WrittenEnd } from './partition-table.ts'
import { RecentBadRecords } from './recent-bad-records.ts'
import { Refusals } from './refusals.ts'
import { RepairPort } from './repair-port.ts'
import { Settlement } from './settlement.ts'
import { SourceReader } from './source-reader.ts'
import { StrangerHolds } from './stranger-holds.ts'

export class Ingest {
  /** Operations on partitions for repairs of the changelog. */
  readonly repairs: RepairPort
  readonly #context: IngestContext
  readonly #deadLetters: DeadLetters | undefined
  readonly #directWrites: DirectWrites
  readonly #amending: Amending
  readonly #conversion: Conversion | undefined
  readonly #reader: SourceReader
  readonly #writer: ChangelogWriter
  readonly #settlement: Settlement
  readonly #strangerHolds: StrangerHolds | undefined

  constructor(store: StoreContext, events: PartitionLifecycle) {
    const context = ingestContextOf(store, events)
    const deadLetters = deadLettersOf(context)
    const bad = new BadRecords(context.config, context.stats, deadLetters, new RecentBadRecords(context.post))
    const { decoder, conversion } = decodingOf(context, bad)
    const directWrites = new DirectWrites(context)
    const settlement = new Settlement(context, new Refusals(context.stats, context.pool, bad), directWrites)
    this.#context = context
    this.#deadLetters = deadLetters
    this.#directWrites = directWrites
    this.#conversion = conversion
    this.#reader = new SourceReader(context, decoder, deadLetters)
    this.#writer = new ChangelogWriter(context, settlement)
    this.#settlement = settlement
    this.#amending = new Amending(context)
    this.#strangerHolds = StrangerHolds.of(context)
    this.repairs = new RepairPort(context, this.#amending, settlement)
  }

  /** @param end of the changelog partition, as recovery read it */
  add(partition: number, { position, epochs }: PartitionStart, identity: ProducerIdentity, end: PartitionEnd): void {
    const { partitions, pool, stats, changes, producer } = this.#context
    const hold = this.#strangerHolds?.of(partition)
    partitions.add(new PartitionIngest(partition, position, pool, this.#conversion?.hasCallbacks, epochs, hold))
    stats.setGauge(partition, 'position', position)
    changes.positions.noteSource(partition, position)
    changes.recorder.reached(partition, end.offset)
    producer.own(partition, identity, end)
    this.#deadLetters?.add(partition)
  }

  /**
   * Stops reading and writing a partition. What waits to be written is dropped: its next owner reads it again.
   * @returns how far it was written, by this instance
   */
  remove(partition: number): WrittenEnd | undefined {
    const { fetcher, partitions, producer, accounting } = this.#context
    fetcher.remove(partition)
    const changelogEnd = producer.disown(partition)
    const state = partitions.remove(partition)
    if (state === undefined) return partitions.lostAt(partition)
    this.#settlement.lost(state)
    accounting.progress.made()
    return { changelogEnd, acknowledged: state.acknowledged }
  }

  /** Starts or stops reading the source of a partition that was added. */
  follow(partition: number, isFollowed = true): void {
    const state = this.partition(partition)
    if (state === undefined) return // the partition was lost before
    state.reading.follow(isFollowed)
    this.#context.fetcher.update(state)
  }

  /**
   * Writes records of the map to the changelog again, before everything that waits for the partition: see amendment.ts.
   * @returns false if not all is acknowledged: the partition is lost, or another amendment has replaced this one
   */
  async amend(partition: number, write: (amendment: Amendment) => Promise<void>): Promise<boolean> {
    const state = this.partition(partition)
    return state !== undefined && (await this.#amending.amend(state, write))
  }

  /** Source offset up to which the changelog has everything; -1 for a partition that is lost. */
  acknowledged(partition: number): number {
    return this.partition(partition)?.acknowledged ?? -1
  }

  /** Offset after our last acknowledged record, or the end of the changelog when it was read. */
  changelogEnd(partition: number): number {
    return this.#context.producer.endOffset(partition)
  }

  /** Runs until stop(). Rejects with errors that Kafka did not cause. */
  async run(): Promise<void> {
    const { fetcher, producer } = this.#context
    await Promise.race([
      fetcher.run(this.#reader),
      producer.run(this.#writer),
      ...(this.#deadLetters ? [this.#deadLetters.run()] : []),
    ])
  }

  /** Stops fetching. Decoded records are still written. */
  stopFetching(): void {
    this.#context.accounting.stop()
    this.#context.fetcher.stop()
  }

  stop(): void {
    this.#context.linger.stop()
    this.#strangerHolds?.stop()
    this.stopFetching()
    this.#context.producer.stop()
    this.#deadLetters?.stop()
  }

  /**
   * Appends a tombstone that is not from the source, after everything that waits. settled() writes the last ones.
   * @returns whether a full batch waits, so that room() must be awaited
   */
  appendTombstone(partition: number, key: Uint8Array, timestamp: number, sourceOffset: number): boolean {
    const state = this.partition(partition)
    if (state === undefined) return false // the partition was lost before
    state.queue.append(key, 0, key.length, 0, -1, timestamp, sourceOffset, 0)
    if (!state.queue.hasFull) return false
    this.#appended(state)
    return true
  }

  /** Writes records of a program after everything that waits, and posts the results in order. */
  write(partition: number, records: DirectRecords): void {
    const state = this.partition(partition)
    if (state === undefined) return this.#directWrites.tooLate(partition, records)
    this.#directWrites.append(state, records)
    this.#appended(state)
  }

  /** Undefined for a partition that is lost. */
  partition(partition: number): PartitionIngest | undefined {
    return this.#context.partitions.get(partition)
  }

  /** Returns a promise that resolves when there is room to encode more; undefined if there is room. */
  room(): Promise<void> | undefined {
    return this.#context.accounting.room()
  }

  /** Resolves when everything that a partition had to write is settled, or the partition is lost. */
  settled(partition: number): Promise<void> {
    return this.#until(() => this.partition(partition)?.isIdle ?? true)
  }

  /** Resolves when everything consumed or written up to now is acknowledged, or its partition is lost. */
  async drained(): Promise<void> {
    await this.#until(this.#context.partitions.settledMark())
  }

  /** As drained(), and everything is written again that the changelog has lost, or that others have replaced. */
  async finished(): Promise<void> {
    const { partitions } = this.#context
    const isDrained = partitions.settledMark()
    await this.#until(() => isDrained() && partitions.all.every(({ isWithheld }) => !isWithheld))
  }

  /** Waits for a condition, and meanwhile writes batches that are not full. */
  #until(isSo: () => boolean): Promise<void> {
    const { linger, accounting } = this.#context
    return linger.suspendWhile(() => accounting.progress.until(isSo))
  }

  /** To be called when records were appended to a partition. */
  #appended(state: PartitionIngest): void {
    this.#context.accounting.account(state)
    this.#context.linger.appended(state.queue)
  }
}
