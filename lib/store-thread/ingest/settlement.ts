/**
 * Handles the broker's answers for batches: acknowledged records are applied to the map, refused batches are replaced
 * by smaller parts or dropped.
 */
import { LatchkeyError } from '../../errors.ts'
import type { OffsetRange } from '../../kafka/producer.ts'
import { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { isTrace, loggerOf } from '../../log/index.ts'
import { type HeaderSelector, headerSelectorOf } from '../../store-protocol/kept-headers.ts'
import { applyRecords } from '../apply.ts'
import { Backlog } from './backlog.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'
import { ConditionWaiters } from './condition-waiters.ts'
import type { DirectWrites } from './direct-writes.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { IngestContext } from './partition-lifecycle.ts'
import type { Refusals } from './refusals.ts'

const log = loggerOf('ingest')

export class Settlement {
  readonly backlog: Backlog
  readonly progress = new ConditionWaiters()
  readonly #context: IngestContext
  readonly #pool: BatchPool
  readonly #refusals: Refusals
  readonly #directWrites: DirectWrites
  readonly #headerSelector: HeaderSelector | undefined
  readonly #batch = new RecordBatchReader()

  constructor(context: IngestContext, pool: BatchPool, refusals: Refusals, directWrites: DirectWrites) {
    this.#context = context
    this.backlog = new Backlog(context.roles.primaries.length)
    this.#pool = pool
    this.#refusals = refusals
    this.#directWrites = directWrites
    this.#headerSelector = headerSelectorOf(context.config)
  }

  /** @param baseOffset of the batch in the changelog; -1 if the broker has not named it */
  acknowledged(
    state: PartitionIngest,
    batch: ChangelogBatch,
    baseOffset: number,
    foreign: OffsetRange | undefined,
  ): void {
    const { stats, flusher, config, events, changes } = this.#context
    const { partition } = state
    const map = config.useProcessingOnly ? undefined : this.#context.map
    const records = batch.openIn(this.#batch)
    const trail = map && changes.recorder.trailOf(partition, baseOffset)
    const applied = applyRecords(map, stats, partition, records, 0, trail, this.#headerSelector)
    if (baseOffset >= 0) changes.recorder.reached(partition, baseOffset + batch.count)
    else changes.recorder.lost(partition)
    stats.add('changelogRecords', applied)
    stats.add('changelogBytes', batch.sentBytes)
    if (isTrace()) {
      const { nextSource, sentBytes: bytes } = batch
      log.trace('Partition {partition}: changelog acknowledged a batch, {records} records applied ({bytes} bytes)', {
        partition,
        records: applied,
        bytes,
        nextSource,
      })
    }
    if (foreign) events.foreignOffsets(partition, foreign)
    this.#directWrites.acknowledged(state, batch)
    this.#settle(state, batch, true)
    flusher.wrote()
  }

  /**
   * Returns the batches to write instead, in order.
   * @param withdraw takes the partition's other batches back from the producer, since the partition may halt at the
   *   record at fault
   */
  refused(
    state: PartitionIngest,
    batch: ChangelogBatch,
    error: LatchkeyError,
    withdraw: () => ChangelogBatch[],
  ): ChangelogBatch[] {
    const haltBefore = state.reading.halted
    const replacements = this.#refusals.replace(state, batch, error)
    if (replacements.length === 0) this.#directWrites.refused(state, batch, error)
    state.replace(replacements)
    if (state.reading.halted !== haltBefore) this.#takeBack(state, batch, error, withdraw())
    this.#settle(state, batch, replacements.length === 0)
    return replacements
  }

  /** To be called when a partition's encoded bytes that wait for an acknowledgement have changed. */
  account(state: PartitionIngest): void {
    this.backlog.add(state.partition, state.takeBytesChange())
  }

  /** To be called when the partition is lost. */
  lost(state: PartitionIngest): void {
    this.backlog.add(state.partition, -state.bytesReported)
    this.#directWrites.lost(state)
  }

  /** Reads the source again from an offset on. Batches that wait to be written are dropped. */
  rewind(state: PartitionIngest, position: number): void {
    const error = new LatchkeyError(
      'broker_error',
      `Writing: the changelog lost records, and is made again from the source`,
    )
    this.#drop(state, state.rewind(position), error)
    this.progressed(state)
  }

  progressed(state: PartitionIngest): void {
    this.#context.stats.setGauge(state.partition, 'position', state.acknowledged)
    this.#context.changes.positions.noteSource(state.partition, state.acknowledged)
    this.#context.flusher.progressed()
    this.#context.events.progressed(state.partition, state.acknowledged)
    this.progress.made()
  }

  /** @param done false if other batches contain the records of this one */
  #settle(state: PartitionIngest, batch: ChangelogBatch, done: boolean): void {
    const { operationsAbsorbed, oplogLength } = this.#context.map
    state.settle(batch, done ? operationsAbsorbed + oplogLength : undefined)
    this.account(state)
    this.#pool.release(batch)
    this.progressed(state)
  }

  /** Takes back everything after the refused record at which the partition halts, as if it had not been read. */
  #takeBack(state: PartitionIngest, refused: ChangelogBatch, error: LatchkeyError, withdrawn: ChangelogBatch[]): void {
    const { offset } = state.reading.halted!
    const others = withdrawn.filter((batch) => batch !== refused)
    this.#drop(state, state.takeBack(offset, others), error)
    refused.nextSource = offset
  }

  #drop(state: PartitionIngest, batches: readonly ChangelogBatch[], error: LatchkeyError): void {
    this.account(state)
    for (const batch of batches) {
      this.#directWrites.refused(state, batch, error)
      this.#pool.release(batch)
    }
  }
}
