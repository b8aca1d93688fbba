/** What goes with the commit of a partition: see completeness.ts and marks.ts. */
import { LatchkeyError } from '../../errors.ts'
import { confirmedLeaderEpoch } from '../../kafka/leader-epochs.ts'
import { type Ingest } from './ingest.ts'
import { completenessMetadata } from '../../topics/completeness.ts'
import { fingerprintOf, withFingerprint } from '../../topics/fingerprint.ts'
import { withMarks } from '../recovery/marks.ts'
import { type Recovered } from '../recovery/recovery.ts'
import { type Resumption } from '../recovery/resumption.ts'
import { type StoreContext } from '../store-context.ts'
import { within } from '../within.ts'

/** What a commit waits at most for a changelog's leader. */
const answerMs = 1_000

export class Statement {
  readonly #context: StoreContext
  readonly #ingest: Pick<Ingest, 'changelogEnd'>
  readonly #fingerprint: string | undefined
  readonly #recovered: ReadonlyMap<number, Recovered>
  readonly #resumed: ReadonlyMap<number, Resumption>
  /** By partition: an epoch that the changelog was in after an end had been reached. */
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

  /** @param offset that is committed with it */
  async of(partition: number, offset: number): Promise<string> {
    const { config, map, clients } = this.#context
    const { changelogStart } = this.#recovered.get(partition)!
    const changelogEnd = this.#ingest.changelogEnd(partition)
    const entries = config.useProcessingOnly ? undefined : map.stats(partition).entries
    const sourceEpochs = this.#resumed.get(partition)?.epochs.textBefore(offset)
    const changelogEpoch = await this.#changelogEpoch(partition, changelogEnd)
    const marks = {
      sourceId: clients.consumer.topics.id(config.sourceTopic),
      sourceEpochs,
      changelogId: clients.producer.topics.id(config.changelogTopic),
      changelogEpoch,
    }
    const stated = withMarks(completenessMetadata({ changelogStart, changelogEnd }, entries), marks)
    return withFingerprint(stated, this.#fingerprint)
  }

  /** The last of a partition. */
  confirmed(partition: number): { end: number; epoch: number | undefined } | undefined {
    return this.#confirmed.get(partition)
  }

  /** Asked for after the end was reached: all below it then lies in this epoch or lower ones. */
  async #changelogEpoch(partition: number, end: number): Promise<number | undefined> {
    const confirmed = this.#confirmed.get(partition)
    if (confirmed?.end === end) return confirmed.epoch
    if (!this.#asking.has(partition)) {
      const asking = this.#ask(partition, end).finally(() => this.#asking.delete(partition))
      this.#asking.set(partition, asking)
    }
    await within(answerMs, this.#asking.get(partition))
    const answered = this.#confirmed.get(partition)
    return answered?.end === end ? answered.epoch : undefined
  }

  /** Over connections that nothing is written over: a batch that waits there would be waited for. */
  async #ask(partition: number, end: number): Promise<void> {
    const { clients, config } = this.#context
    try {
      const epoch = await confirmedLeaderEpoch(clients.changelog, config.changelogTopic, partition, end)
      if (epoch !== undefined) this.#confirmed.set(partition, { end, epoch })
    } catch (error) {
      // Without it less is told to a later start.
      if (!(error instanceof LatchkeyError)) throw error
    }
  }
}
