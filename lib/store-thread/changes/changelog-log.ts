/** The changelog topic, as keys are read from it: also how long it keeps tombstones, and that it is still the same. */
import type { KafkaClient } from '../../kafka/client.ts'
import { describeTopic } from '../../kafka/topics.ts'
import type { KeysPart } from '../../store-protocol/changed-keys.ts'
import type { KeysLog } from './changelog-keys.ts'
import { hasOffsets, readKeysPart } from './keys-part.ts'

/** An operator may change the topic's setting while the store runs. */
const retentionKnownMs = 60_000

export class ChangelogLog implements KeysLog {
  readonly #client: KafkaClient
  readonly #topic: string
  readonly #topicId: () => string | undefined
  #retention: { ms: number; knownAt: number } | undefined

  /** @param topicId id of the topic that the store writes or follows; undefined if the brokers know no ids */
  constructor(client: KafkaClient, topic: string, topicId: () => string | undefined) {
    this.#client = client
    this.#topic = topic
    this.#topicId = topicId
  }

  async readPart(partition: number, from: number, to: number): Promise<KeysPart | undefined> {
    const readAt = Date.now()
    const deleteRetentionMs = await this.#deleteRetentionMs()
    const read = await readKeysPart(this.#client, this.#topic, partition, { from, to })
    return read && this.#isSameTopic ? { ...read, readAt, deleteRetentionMs } : undefined
  }

  async reaches(partition: number, offset: number): Promise<boolean> {
    return (await hasOffsets(this.#client, this.#topic, partition, { from: offset, to: offset })) && this.#isSameTopic
  }

  get #isSameTopic(): boolean {
    return this.#client.topics.id(this.#topic) === this.#topicId()
  }

  /** Returns -1 if the user may not read the topic's settings. */
  async #deleteRetentionMs(): Promise<number> {
    const now = performance.now()
    if (this.#retention !== undefined && now - this.#retention.knownAt < retentionKnownMs) return this.#retention.ms
    const config = await this.#client.retryForever(() => describeTopic(this.#client, this.#topic))
    const ms = Number(config?.get('delete.retention.ms') ?? -1)
    this.#retention = { ms, knownAt: now }
    return ms
  }
}
