/**
 * Handles the broker's answers for batches: acknowledged records are applied to the map, refused batches are replaced
 * by smaller parts or dropped.
 */
import { LatchkeyError } from '../../errors.ts'
import type { OffsetRange } from '../../kafka/producer.ts'
import { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { isTrace, loggerOf } from '../../log/index.ts'
import { type HeaderSelector, headerSelectorOf } from '../../store-protocol/kept-headers.ts'
import { nounFor } from '../../text/counted.ts'
import { applyRecords } from '../apply.ts'
import { trailsOf } from '../record-trails.ts'
import type { ChangelogBatch } from './changelog-batch.ts'
import type { DirectWrites } from './direct-writes.ts'
import type { IngestContext } from './ingest-context.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { Refusals } from './refusals.ts'

const log = loggerOf('ingest')

export class Settlement {
  readonly #context: IngestContext
  readonly #refusals: Refusals
  readonly #directWrites: DirectWrites
  readonly #headerSelector: HeaderSelector | undefined
  readonly #batch = new RecordBatchReader()
  /** What follows records whose keys were looked at before they were written. */
  readonly #placed: Pick<IngestContext, 'changes' | 'strangers' | 'snapshots'>

  constructor(context: IngestContext, refusals: Refusals, directWrites: DirectWrites) {
    this.#context = context
    this.#refusals = refusals
    this.#directWrites = directWrites
    this.#headerSelector = headerSelectorOf(context.config)
    this.#placed = { changes: context.changes, snapshots: context.snapshots, strangers: undefined }
  }

  /** @param baseOffset of the batch in the changelog; -1 if the broker has not named it */
  acknowledged(
    state: PartitionIngest,
    batch: ChangelogBatch,
    baseOffset: number,
    foreign: OffsetRange | undefined,
  ): void {
    const { stats, flusher, config, events, changes, producer } = this.#context
    const { partition } = state
    const map = config.useProcessingOnly ? undefined : this.#context.map
    const records = batch.openIn(this.#batch)
    const likely = baseOffset >= 0 ? baseOffset : producer.endOffset(partition)
    const followed = state.strangerHold === undefined ? this.#context : this.#placed
    const trail = map && trailsOf(followed, partition, baseOffset, likely)
    const applied = applyRecords(map, stats, partition, records, 0, trail, this.#headerSelector)
    if (baseOffset >= 0) changes.recorder.reached(partition, baseOffset + batch.count)
    else changes.recorder.lost(partition)
    stats.add('changelogRecords', applied)
    stats.add('changelogBytes', batch.sentBytes)
    if (isTrace()) {
      const { nextSource, sentBytes: bytes } = batch
      const noun = nounFor(applied, 'record')
      log.trace(`Partition {partition}: changelog acknowledged a batch, {records} ${noun} applied ({bytes} bytes)`, {
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
   * Returns the batches to write instead, in order. If the partition halts at the record at fault, its other batches
   * are taken back from the producer.
   */
  refused(state: PartitionIngest, batch: ChangelogBatch, error: LatchkeyError): ChangelogBatch[] {
    const haltBefore = state.reading.halted
    const replacements = this.#refusals.replace(state, batch, error)
    if (replacements.length === 0) this.#directWrites.refused(state, batch, error)
    state.replace(replacements)
    const hasHalted = state.reading.halted !== haltBefore
    if (hasHalted) this.#takeBack(state, batch, error)
    this.#settle(state, batch, replacements.length === 0)
    if (hasHalted) this.#context.fetcher.halted(state)
    return replacements
  }

  /** To be called when the partition is lost. */
  lost(state: PartitionIngest): void {
    this.#context.accounting.lost(state)
    this.#directWrites.lost(state)
  }

  /** Reads the source again from an offset on. Batches that wait to be written are dropped. */
  rewind(state: PartitionIngest, position: number): void {
    const error = new LatchkeyError(
      'broker_error',
      `Writing: the changelog lost records and is rebuilt from the source`,
    )
    this.#drop(state, state.rewind(position), error)
    this.#context.accounting.progressed(state)
  }

  /** @param done false if other batches contain the records of this one */
  #settle(state: PartitionIngest, batch: ChangelogBatch, done: boolean): void {
    const { map, accounting, pool } = this.#context
    state.settle(batch, done ? map.operationsAbsorbed + map.oplogLength : undefined)
    accounting.account(state)
    pool.release(batch)
    accounting.progressed(state)
  }

  /** Takes back everything after the refused record at which the partition halts, as if it had not been read. */
  #takeBack(state: PartitionIngest, refused: ChangelogBatch, error: LatchkeyError): void {
    const { offset } = state.reading.halted!
    const others = this.#context.producer.withdraw(state.partition).filter((batch) => batch !== refused)
    this.#drop(state, state.takeBack(offset, others), error)
    refused.coverTo(offset)
  }

  #drop(state: PartitionIngest, batches: readonly ChangelogBatch[], error: LatchkeyError): void {
    this.#context.accounting.account(state)
    for (const batch of batches) {
      this.#directWrites.refused(state, batch, error)
      this.#context.pool.release(batch)
    }
  }
}
