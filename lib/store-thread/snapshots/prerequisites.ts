/** Whether a later start could use a snapshot at all. If not, the log says so once. */
import type { KafkaClient } from '../../kafka/client.ts'
import { loggerOf } from '../../log/index.ts'
import { allowedAgeMs } from '../../store-protocol/snapshot-age.ts'
import { deleteRetentionOf } from './changelog-now.ts'

const log = loggerOf('snapshot')

export class Prerequisites {
  readonly #client: KafkaClient
  readonly #changelogTopic: string
  readonly #warned = new Set<string>()

  constructor(client: KafkaClient, changelogTopic: string) {
    this.#client = client
    this.#changelogTopic = changelogTopic
  }

  /** Returns `delete.retention.ms` of the changelog; undefined if no start could use a snapshot. */
  async deleteRetentionMs(): Promise<number | undefined> {
    const topic = this.#changelogTopic
    const ms = await deleteRetentionOf(this.#client, topic)
    await this.#client.leaders(topic, [0])
    if (this.#client.topics.id(topic) === undefined) {
      const found = 'the brokers name no topic id (Kafka before 2.8), so a recreated topic could not be recognised'
      return this.#none('Taking snapshots of {topic}: {found}. The store takes none', found)
    }
    if (allowedAgeMs(ms, true) > 0) return ms
    const found = `delete.retention.ms is ${ms}, so deletions may be compacted away before a start sees them`
    return this.#none(
      'Taking snapshots of {topic}: {found}. Set it to an hour or more; until then none are taken',
      found,
    )
  }

  #none(message: string, found: string): undefined {
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    log.warn(message, { topic: this.#changelogTopic, found })
  }
}
