/**
 * Reads changelog partitions from a position on and passes their batches to a sink: recovery up to an end, replicas
 * without one. It walks the batches, advances the positions, and has the rules for damaged batches and for records that
 * are too large to hold. A part of one partition is read with recovery/log-batches.ts instead.
 */
import type { LatchkeyError } from '../errors.ts'
import type { KafkaClient } from '../kafka/client.ts'
import { CommittedBatches } from '../kafka/committed-batches.ts'
import { isDamage } from '../kafka/damaged-batches.ts'
import type { EpochTrail } from '../kafka/epoch-trail.ts'
import { Fetcher } from '../kafka/fetcher.ts'
import type { FetchedPartition } from '../kafka/protocol/fetch.ts'
import type { RecordBatchReader } from '../kafka/record-batch/index.ts'
import { isTrace, loggerOf } from '../log/index.ts'
import type { FetchConfig } from '../store-protocol/client-config.ts'
import type { Stats } from '../store-protocol/stats.ts'
import type { KnownEnd } from './ends.ts'
import { corruptChangelog } from './recovery/corrupt-changelog.ts'
import { isUnheld, logUnheld } from './recovery/unheld-records.ts'

const log = loggerOf('store')

export interface ChangelogPosition {
  /** Changelog offset up to which the partition was read. The reader advances it. */
  position: number
}

/** Takes what is read. `reached` is what the sink knows of the partition. */
export interface ChangelogSink<Reached extends ChangelogPosition> {
  /**
   * Applies the records of a batch, which are open. Those before the position must be skipped.
   * @returns the number of records that were applied
   */
  records(partition: number, reached: Reached, batch: RecordBatchReader): number
  /** Takes a control batch. @returns whether nothing after it is to be read */
  control(partition: number, reached: Reached, batch: RecordBatchReader): boolean
  /** Called when a record of another program was passed over, because no store can hold it. @param key if known */
  passedOver?(reached: Reached, key: Buffer | undefined): void
  /**
   * Called after each response, and after a record that was passed over.
   * @param known the end of the log, if a response has named it
   */
  progressed(partition: number, reached: Reached, known?: KnownEnd): void
  /** Returns a promise that resolves when there is room for another response; undefined if there is room now. */
  room(): Promise<void> | undefined
  /** Handles a position that is not in the log. @returns the offset to continue from */
  outOfRange(partition: number, position: number, reached: Reached): Promise<number>
  /** Called when the following batches were appended in another leader epoch than those before. */
  epochBegan?(partition: number): void
}

export class ChangelogReader<Reached extends ChangelogPosition> {
  readonly #topic: string
  readonly #checkCrc: boolean
  readonly #stats: Stats
  readonly #partitions: ReadonlyMap<number, Reached>
  readonly #fetcher: Fetcher
  readonly #batches = new CommittedBatches()

  /** @param partitions has each partition before it is added */
  constructor(
    client: KafkaClient,
    topic: string,
    config: FetchConfig,
    stats: Stats,
    partitions: ReadonlyMap<number, Reached>,
  ) {
    this.#topic = topic
    this.#checkCrc = config.checkCrcs
    this.#stats = stats
    this.#partitions = partitions
    this.#fetcher = new Fetcher(client, topic, config)
  }

  /** Reads a partition from its position on. @param epochs collects the leader epochs of its batches */
  add(partition: number, epochs?: EpochTrail): void {
    this.#fetcher.add(partition, this.#partitions.get(partition)!.position, epochs)
  }

  remove(partition: number): void {
    this.#fetcher.remove(partition)
  }

  /** Reads until stop(). Rejects if the changelog cannot be read, see corrupt-changelog.ts. */
  run(sink: ChangelogSink<Reached>): Promise<void> {
    return this.#fetcher.run({
      keepsNothing: true,
      received: (fetched, position, askedAt) => this.#received(sink, fetched, position, askedAt),
      takenTo: (partition) => this.#partitions.get(partition)!.position,
      damaged: (partition, fault, times) => {
        throw corruptChangelog(this.#topic, partition, fault, times)
      },
      passOver: (partition, next, fault, key) => this.#passOver(sink, partition, next, fault, key),
      room: () => sink.room(),
      outOfRange: (partition, position) => sink.outOfRange(partition, position, this.#partitions.get(partition)!),
      epochBegan: (partition) => sink.epochBegan?.(partition),
    })
  }

  stop(): void {
    this.#fetcher.stop()
  }

  #received(
    sink: ChangelogSink<Reached>,
    fetched: FetchedPartition,
    position: number,
    askedAt?: number,
  ): number | undefined {
    const { partition } = fetched
    const reached = this.#partitions.get(partition)!
    reached.position = Math.max(reached.position, position)
    try {
      this.#takeBatches(sink, fetched, reached)
    } catch (error) {
      throw isDamage(error) ? error : corruptChangelog(this.#topic, partition, error)
    }
    if (askedAt === undefined) sink.progressed(partition, reached)
    else sink.progressed(partition, reached, { end: fetched.lastStableOffset, askedAt })
    return this.#batches.isEnough ? reached.position : undefined
  }

  #takeBatches(sink: ChangelogSink<Reached>, fetched: FetchedPartition, reached: Reached): void {
    const { partition } = fetched
    const batches = this.#batches
    const { batch } = batches
    batches.open(fetched, reached.position)
    let isEnd = false
    for (let kind = batches.next(); kind !== undefined; kind = isEnd ? undefined : batches.next()) {
      if (kind === 'records') this.#takeRecords(sink, partition, reached, batch)
      else if (kind === 'control') isEnd = sink.control(partition, reached, batch)
      reached.position = batch.nextOffset
    }
  }

  #takeRecords(sink: ChangelogSink<Reached>, partition: number, reached: Reached, batch: RecordBatchReader): void {
    batch.openRecords({ checkCrc: this.#checkCrc })
    const records = sink.records(partition, reached, batch)
    this.#stats.add('recordsRecovered', records)
    this.#stats.add('bytesRecovered', batch.batchBytes)
    if (isTrace()) {
      const properties = { partition, records, bytes: batch.batchBytes, offset: batch.baseOffset }
      log.trace('Partition {partition}: applied {records} changelog records at offset {offset}', properties)
    }
  }

  #passOver(
    sink: ChangelogSink<Reached>,
    partition: number,
    next: number,
    fault: LatchkeyError,
    key: Buffer | undefined,
  ): void {
    if (!isUnheld(fault)) throw corruptChangelog(this.#topic, partition, fault)
    logUnheld(this.#topic, partition, fault)
    this.#stats.add('foreignWrites', 1)
    const reached = this.#partitions.get(partition)!
    sink.passedOver?.(reached, key)
    reached.position = Math.max(reached.position, next)
    sink.progressed(partition, reached)
  }
}
