/**
 * Moves records from the source to the changelog and then to the map. Records are encoded into changelog batches as
 * they are decoded. Only records that the changelog has acknowledged are applied to the map. The bytes that wait for an
 * acknowledgement are bounded.
 */
import type { LatchkeyError } from '../../errors.ts'
import { type PartitionEnd, Producer } from '../../kafka/producer.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { clientsConfigOf } from '../../topics/clients.ts'
import { Amending } from './amending.ts'
import type { Amendment } from './amendment.ts'
import { BadRecords } from './bad-records.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'
import type { Conversion } from './conversion.ts'
import { type DeadLetters, deadLettersOf } from './dead-letters.ts'
import { decodingOf } from './decoding.ts'
import { type DirectRecords, DirectWrites } from './direct-writes.ts'
import { Linger } from './linger.ts'
import { PartitionIngest, type PartitionStart, takenIsSettled } from './partition-ingest.ts'
import type { IngestContext } from './partition-lifecycle.ts'
import { batchPool, producerOptions } from './produce-options.ts'
import { Refusals } from './refusals.ts'
import { RepairPort } from './repair-port.ts'
import { Settlement } from './settlement.ts'
import { SourceReader } from './source-reader.ts'

export class Ingest {
  readonly #context: IngestContext
  readonly #partitions = new Map<number, PartitionIngest>()
  readonly #reader: SourceReader
  readonly #producer: Producer<ChangelogBatch>
  readonly #pool: BatchPool
  readonly #settlement: Settlement
  readonly #directWrites: DirectWrites
  readonly #amending: Amending
  /** Operations on partitions for repairs of the changelog. */
  readonly repairs: RepairPort
  readonly #deadLetters: DeadLetters | undefined
  readonly #linger: Linger
  readonly #conversion: Conversion | undefined

  constructor(context: IngestContext) {
    const { clients, config, topology } = context
    this.#context = context
    this.#pool = batchPool(config, topology.limits)
    this.#linger = new Linger(clientsConfigOf(config).producer.produce.lingerMs, () => this.#producer.wake())
    this.#deadLetters = deadLettersOf(context, {
      account: (state) => this.#isOurs(state) && this.#settlement.account(state),
      released: (state) => this.#isOurs(state) && this.#released(state),
    })
    const bad = new BadRecords(config, context.stats, this.#deadLetters)
    const refusals = new Refusals(context.stats, this.#pool, bad)
    this.#directWrites = new DirectWrites(context)
    this.#settlement = new Settlement(context, this.#pool, refusals, this.#directWrites)
    this.#amending = new Amending(context, this.#pool, this.#settlement, {
      isOurs: (state) => this.#isOurs(state),
      wake: () => this.#producer.wake(),
      fetch: (state) => this.#reader.fetch(state),
    })
    const { decoder, conversion } = decodingOf(context, this.#pool, bad)
    this.#conversion = conversion
    this.#reader = new SourceReader(context, decoder, this.#settlement, this.#deadLetters, {
      partition: (partition) => this.#partitions.get(partition),
      encoded: (state) => this.#encoded(state),
      room: () => this.room(),
    })
    this.#producer = new Producer(clients.producer, config.changelogTopic, producerOptions(config), {
      next: (partition) => this.#partitions.get(partition)?.takeBatch((openedAt) => this.#linger.isDue(openedAt)),
      beforeRequest: () => context.events.beforeWrite(),
      holds: (partition) => (this.#partitions.get(partition)?.deadLetters.count ?? 0) > 0,
      acknowledged: (partition, batch, baseOffset, foreign) =>
        this.#settlement.acknowledged(this.#partitions.get(partition)!, batch, baseOffset, foreign),
      refused: (partition, batch, error) => this.#refused(partition, batch, error),
      renew: (partition) => context.events.renew(partition, this.#producer.endOffset(partition)),
      lost: (partition, error) => this.#lost(partition, error),
      wentBack: (partition, baseOffset) => context.events.changelogWentBack(partition, baseOffset),
    })
    this.repairs = new RepairPort(this.#partitions, this.#producer, this.#amending, this.#settlement)
  }

  /** @param end of the changelog partition, as recovery read it */
  add(partition: number, { position, epochs }: PartitionStart, identity: ProducerIdentity, end: PartitionEnd): void {
    const state = new PartitionIngest(partition, position, this.#pool, this.#conversion?.hasCallbacks, epochs)
    this.#partitions.set(partition, state)
    this.#context.stats.setGauge(partition, 'position', position)
    this.#context.changes.positions.noteSource(partition, position)
    this.#context.changes.recorder.reached(partition, end.offset)
    this.#producer.own(partition, identity, end)
    this.#deadLetters?.add(partition)
  }

  /** Starts or stops reading the source of a partition that was added. */
  follow(partition: number, isFollowed = true): void {
    const state = this.#partitions.get(partition)
    if (state === undefined) return // the partition was lost before
    state.reading.follow(isFollowed)
    this.#reader.fetch(state)
  }

  /**
   * Writes records of the map to the changelog again, before everything that waits for the partition: see amendment.ts.
   */
  async amend(partition: number, write: (amendment: Amendment) => Promise<void>): Promise<void> {
    const state = this.#partitions.get(partition)
    if (state !== undefined) await this.#amending.amend(state, write)
  }

  /** Source offset up to which the changelog has everything; -1 for a partition that is lost. */
  acknowledged(partition: number): number {
    return this.#partitions.get(partition)?.acknowledged ?? -1
  }

  /** Offset after our last acknowledged record, or the end of the changelog when it was read. */
  changelogEnd(partition: number): number {
    return this.#producer.endOffset(partition)
  }

  /** Runs until stop(). Rejects with errors that Kafka did not cause. */
  async run(): Promise<void> {
    await Promise.race([
      this.#reader.run(),
      this.#producer.run(),
      ...(this.#deadLetters ? [this.#deadLetters.run()] : []),
    ])
  }

  /** Stops fetching. Decoded records are still written. */
  stopFetching(): void {
    this.#reader.stop()
  }

  stop(): void {
    this.#linger.stop()
    this.#reader.stop()
    this.#producer.stop()
    this.#deadLetters?.stop()
  }

  /**
   * Appends a tombstone that is not from the source, after everything that waits. settled() writes the last ones.
   * @returns whether a full batch waits, so that room() must be awaited
   */
  appendTombstone(partition: number, key: Uint8Array, timestamp: number, sourceOffset: number): boolean {
    const state = this.#partitions.get(partition)
    if (state === undefined) return false // the partition was lost before
    state.queue.append(key, 0, key.length, 0, -1, timestamp, sourceOffset, 0)
    if (!state.queue.hasFull) return false
    this.#encoded(state)
    return true
  }

  /** Writes records of a program after everything that waits, and posts the results in order. */
  write(partition: number, records: DirectRecords): void {
    const state = this.#partitions.get(partition)
    if (state === undefined) return this.#directWrites.tooLate(partition, records)
    this.#directWrites.append(state, records)
    this.#encoded(state)
  }

  /** Undefined for a partition that is lost. */
  partition(partition: number): PartitionIngest | undefined {
    return this.#partitions.get(partition)
  }

  /** Returns a promise that resolves when there is room to encode more; undefined if there is room. */
  room(): Promise<void> | undefined {
    return this.#settlement.backlog.room() ?? this.#context.flusher.room()
  }

  /** Resolves when everything that a partition had to write is settled, or the partition is lost. */
  async settled(partition: number): Promise<void> {
    const isSettled = () => this.#partitions.get(partition)?.isIdle ?? true
    await this.#linger.suspendWhile(() => this.#settlement.progress.until(isSettled))
  }

  /** Resolves when everything consumed or written up to now is acknowledged, or its partition is lost. */
  async drained(): Promise<void> {
    await this.#linger.suspendWhile(() => this.#settlement.progress.until(takenIsSettled(this.#partitions)))
  }

  /** To be called when records were appended to a partition. */
  #encoded(state: PartitionIngest): void {
    this.#settlement.account(state)
    if (state.queue.hasFull) this.#producer.wake()
    if (state.queue.hasOpen) this.#linger.filled()
  }

  #refused(partition: number, batch: ChangelogBatch, error: LatchkeyError): ChangelogBatch[] {
    const state = this.#partitions.get(partition)!
    const haltBefore = state.reading.halted
    const instead = this.#settlement.refused(state, batch, error, () => this.#producer.withdraw(partition))
    if (state.reading.halted !== haltBefore) this.#reader.halted(state)
    return instead
  }

  /** Called when the last dead letter of a partition is acknowledged. */
  #released(state: PartitionIngest): void {
    state.advance()
    this.#settlement.progressed(state)
    this.#producer.wake()
  }

  #isOurs(state: PartitionIngest): boolean {
    return this.#partitions.get(state.partition) === state
  }

  #lost(partition: number, error: LatchkeyError): void {
    const state = this.#partitions.get(partition)
    this.#reader.remove(partition)
    this.#partitions.delete(partition)
    if (state !== undefined) this.#settlement.lost(state)
    this.#context.events.lost(partition, error)
    this.#settlement.progress.made()
  }
}
