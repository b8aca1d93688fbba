/** Builds the metadata of a partition's commit: see completeness.ts and marks.ts. */
import { LatchkeyError } from '../../errors.ts'
import { confirmedLeaderEpoch } from '../../kafka/leader-epochs.ts'
import type { ChiralMap } from '../../map/index.ts'
import type { StatedSize } from '../../store-protocol/memory-budget.ts'
import { completenessMetadata } from '../../topics/completeness.ts'
import { fingerprintOf, withFingerprint } from '../../topics/fingerprint.ts'
import { closeStep } from '../close-step.ts'
import { withMarks } from '../recovery/marks.ts'
import type { Recovered } from '../recovery/recovery.ts'
import type { Resumption } from '../recovery/resume.ts'
import type { StoreContext } from '../store-context.ts'
import type { Ingest } from './ingest.ts'

/** Maximum time that a commit waits for the changelog's leader. */
const answerMs = 1_000

export class CommitMetadata {
  readonly #context: StoreContext
  readonly #ingest: Pick<Ingest, 'changelogEnd'>
  readonly #fingerprint: string | undefined
  readonly #recovered: ReadonlyMap<number, Recovered>
  readonly #resumed: ReadonlyMap<number, Resumption>
  /** By partition: a leader epoch of the changelog after it had reached an end. */
  readonly #confirmed = new Map<number, { end: number; epoch: number }>()
  readonly #asking = new Map<number, Promise<void>>()

  constructor(
    context: StoreContext,
    ingest: Pick<Ingest, 'changelogEnd'>,
    recovered: ReadonlyMap<number, Recovered>,
    resumed: ReadonlyMap<number, Resumption>,
  ) {
    this.#context = context
    this.#ingest = ingest
    this.#recovered = recovered
    this.#resumed = resumed
    this.#fingerprint = fingerprintOf(context.config)
  }

  /** @param offset the offset of the commit */
  async of(partition: number, offset: number): Promise<string> {
    const { config, map, clients, stats } = this.#context
    const { changelogStart } = this.#recovered.get(partition)!
    const changelogEnd = this.#ingest.changelogEnd(partition)
    const held = config.useProcessingOnly ? undefined : heldOf(map, partition)
    const sourceEpochs = this.#resumed.get(partition)?.epochs.textBefore(offset)
    const changelogEpoch = await this.#changelogEpoch(partition, changelogEnd)
    const marks = {
      sourceId: clients.consumer.topics.id(config.sourceTopic),
      sourceEpochs,
      changelogId: clients.producer.topics.id(config.changelogTopic),
      changelogEpoch,
      changelogFellAt: stats.count('changelogFellAt') || undefined,
    }
    const stated = withMarks(completenessMetadata({ changelogStart, changelogEnd }, held), marks)
    return withFingerprint(stated, this.#fingerprint)
  }

  /** Returns the last confirmed end of a partition. */
  confirmed(partition: number): { end: number; epoch: number | undefined } | undefined {
    return this.#confirmed.get(partition)
  }

  /**
   * Returns the changelog's leader epoch, requested after the end was reached. Everything below the end is then in this
   * epoch or a lower one.
   */
  async #changelogEpoch(partition: number, end: number): Promise<number | undefined> {
    const confirmed = this.#confirmed.get(partition)
    if (confirmed?.end === end) return confirmed.epoch
    if (!this.#asking.has(partition)) {
      const request = this.#ask(partition, end).finally(() => this.#asking.delete(partition))
      this.#asking.set(partition, request)
    }
    await closeStep(answerMs, this.#asking.get(partition))
    const answered = this.#confirmed.get(partition)
    return answered?.end === end ? answered.epoch : undefined
  }

  /**
   * Sends the request over connections without produce requests, because it would wait behind a batch that waits there.
   */
  async #ask(partition: number, end: number): Promise<void> {
    const { clients, config } = this.#context
    try {
      const epoch = await confirmedLeaderEpoch(clients.changelog, config.changelogTopic, partition, end)
      if (epoch !== undefined) this.#confirmed.set(partition, { end, epoch })
    } catch (error) {
      // Without the epoch the commit states less for a later start.
      if (!(error instanceof LatchkeyError)) throw error
    }
  }
}

/**
 * Entries whose successor awaits a publish still count as live. With more than is live too little is stated: a start
 * must not be refused for entries that it would not have.
 */
function heldOf(map: ChiralMap, partition: number): StatedSize {
  const { entries, liveBytes } = map.stats(partition)
  return { entries, bytes: Math.max(0, liveBytes - map.oplogBytes) }
}
