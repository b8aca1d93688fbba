/** What tests do to a cluster beside the store, through kafkajs and hence through other code than the store's. */
import { type Admin, ConfigResourceTypes, type Kafka, type Message } from 'kafkajs'
import { commitOffsets } from '../../../lib/kafka/offsets.ts'
import { withClient } from '../store/topic-log.ts'
import { until } from '../until.ts'
import { createTopic, kafkaClient, type KafkaEndpoint } from './index.ts'

export class Cluster {
  readonly broker: KafkaEndpoint
  readonly kafka: Kafka

  constructor(broker: KafkaEndpoint) {
    this.broker = broker
    this.kafka = kafkaClient({ bootstrap: broker.direct })
  }

  /** Sends messages in order, those without a partition to partition 0. */
  async produce(topic: string, messages: readonly Message[]): Promise<void> {
    const producer = this.kafka.producer()
    await producer.connect()
    try {
      await producer.send({ topic, messages: messages.map((message) => ({ partition: 0, ...message })) })
    } finally {
      await producer.disconnect()
    }
  }

  async admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.kafka.admin()
    await admin.connect()
    try {
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  /** Deletes the records before an offset; -1 for all. */
  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    await this.admin(async (admin) => {
      await admin.fetchTopicOffsets(topic) // else kafkajs does not know the topic's leaders
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] })
    })
  }

  /** Deletes a topic and waits until the cluster has forgotten it. */
  async deleteTopic(topic: string): Promise<void> {
    await this.admin(async (admin) => {
      await admin.deleteTopics({ topics: [topic] })
      await until(`${topic} is deleted`, async () => !(await admin.listTopics()).includes(topic))
    })
  }

  /** An empty topic of the same name. */
  async recreateTopic(topic: string, partitions = 1, config: Record<string, string> = {}): Promise<void> {
    await this.deleteTopic(topic)
    await createTopic(this.broker, topic, { partitions, config })
  }

  /** Sets topic settings, and waits until the broker goes by them. Kafka replaces all of a topic's own, so those that it has go along. */
  async configure(topic: string, config: Record<string, string>): Promise<void> {
    await this.admin(async (admin) => {
      const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
      const describe = async () => {
        const { resources } = await admin.describeConfigs({ resources: [resource], includeSynonyms: false })
        return resources[0]!.configEntries
      }
      const own = (await describe()).filter(({ isDefault }) => !isDefault)
      const entries = { ...Object.fromEntries(own.map((entry) => [entry.configName, entry.configValue])), ...config }
      const configEntries = Object.entries(entries).map(([name, value]) => ({ name, value }))
      await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries }] })
      await until(`${topic} has its settings`, async () => {
        const found = new Map((await describe()).map(({ configName, configValue }) => [configName, configValue]))
        return Object.entries(config).every(([name, value]) => isSame(found.get(name), value))
      })
    })
  }

  /** Committed offsets of a group by partition, as lag tools see them; -1 without. */
  async committed(group: string, topic: string): Promise<Map<number, number>> {
    const offsets = await this.admin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }))
    return new Map(offsets[0]!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  }

  async commit(group: string, topic: string, partition: number, offset: number, metadata = ''): Promise<void> {
    const offsets = new Map([[partition, { offset, metadata }]])
    await withClient(this.broker.direct, (client) =>
      client.retryForever(() => commitOffsets(client, group, topic, offsets)),
    )
  }
}

/** The broker writes numbers its own way: `0.0` for `0`. */
function isSame(found: string | undefined, value: string): boolean {
  return found === value || (value !== '' && Number(found) === Number(value))
}
