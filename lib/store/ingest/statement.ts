/** What goes with the commit of a partition: see completeness.ts and marks.ts. */
import { LatchkeyError } from '../../errors.ts'
import { confirmedLeaderEpoch } from '../../kafka/leader-epochs.ts'
import { type Ingest } from './ingest.ts'
import { completenessMetadata } from '../recovery/completeness.ts'
import { fingerprintOf, withFingerprint } from '../recovery/fingerprint.ts'
import { withMarks } from '../recovery/marks.ts'
import { type Recovered } from '../recovery/recovery.ts'
import { type Resumption } from '../recovery/resumption.ts'
import { type StoreContext } from '../store-context.ts'

export class Statement {
  readonly #context: StoreContext
  readonly #ingest: Pick<Ingest, 'changelogEnd'>
  readonly #fingerprint: string | undefined
  readonly #recovered: ReadonlyMap<number, Recovered>
  readonly #resumed: ReadonlyMap<number, Resumption>
  /** By partition: an epoch that the changelog was in after an end had been reached. */
  readonly #confirmed = new Map<number, { end: number; epoch: number | undefined }>()

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
    if (confirmed?.end === end && confirmed.epoch !== undefined) return confirmed.epoch
    const { clients, config } = this.#context
    const asked = confirmedLeaderEpoch(clients.producer, config.changelogTopic, partition, end)
    const epoch = await asked.catch((error: unknown) => {
      // Without it less is told to a later start; the commit does not wait for it.
      if (error instanceof LatchkeyError) return undefined
      throw error
    })
    this.#confirmed.set(partition, { end, epoch })
    return epoch
  }
}
