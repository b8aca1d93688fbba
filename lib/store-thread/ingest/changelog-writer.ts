/** Gives the producer of the changelog the batches to write, and handles what it reports about the partitions. */
import type { LatchkeyError } from '../../errors.ts'
import type { OffsetRange, ProducerSink } from '../../kafka/producer.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import type { ChangelogBatch } from './changelog-batch.ts'
import type { IngestContext } from './ingest-context.ts'
import type { Settlement } from './settlement.ts'

export class ChangelogWriter implements ProducerSink<ChangelogBatch> {
  readonly #context: IngestContext
  readonly #settlement: Settlement
  readonly #isDue: (openedAt: number) => boolean

  constructor(context: IngestContext, settlement: Settlement) {
    this.#context = context
    this.#settlement = settlement
    this.#isDue = (openedAt) => context.linger.isDue(openedAt)
  }

  next(partition: number): ChangelogBatch | undefined {
    return this.#context.partitions.get(partition)?.takeBatch(this.#isDue)
  }

  beforeRequest(): void {
    this.#context.events.beforeWrite()
  }

  /** While dead letters wait, nothing of their partition is written. */
  holds(partition: number): boolean {
    return (this.#context.partitions.get(partition)?.deadLetters.count ?? 0) > 0
  }

  acknowledged(partition: number, batch: ChangelogBatch, baseOffset: number, foreign: OffsetRange | undefined): void {
    this.#settlement.acknowledged(this.#context.partitions.get(partition)!, batch, baseOffset, foreign)
  }

  refused(partition: number, batch: ChangelogBatch, error: LatchkeyError): ChangelogBatch[] {
    return this.#settlement.refused(this.#context.partitions.get(partition)!, batch, error)
  }

  renew(partition: number): Promise<ProducerIdentity | undefined> {
    const { events, producer } = this.#context
    return events.renew(partition, producer.endOffset(partition))
  }

  wentBack(partition: number, baseOffset: number): void {
    this.#context.events.changelogWentBack(partition, baseOffset)
  }

  lost(partition: number, error: LatchkeyError, changelogEnd: number): void {
    const { fetcher, partitions, events, accounting } = this.#context
    fetcher.remove(partition)
    const state = partitions.remove(partition)
    if (state !== undefined) {
      partitions.noteLost(partition, { changelogEnd, acknowledged: state.acknowledged })
      this.#settlement.lost(state)
    }
    events.lost(partition, error)
    accounting.progress.made()
  }
}
