/** Instances of one store in this process: one source topic, several `Store`s with their own settings. `await using` closes them. */
import type { Message } from 'kafkajs'
import { LatchkeyError } from '../../../lib/errors.ts'
import type { PartitionStatus } from '../../../lib/store-protocol/status.ts'
import { partitionFor } from '../../../lib/store/partitioner.ts'
import { startStore, type Store } from '../../../lib/store/store.ts'
import { fold, readTopic } from '../fault-run/oracle.ts'
import { createTopic, kafkaClient, type KafkaEndpoint, sharedKafka, uniqueName } from '../kafka/index.ts'
import { until } from '../until.ts'
import { settingsFrom } from './settings.ts'

export interface InstancesOptions {
  broker?: KafkaEndpoint
  partitions?: number
  /** Creates the changelog beforehand, with these settings; else the first store does. */
  changelog?: Readonly<Record<string, string>>
}

type Settings = Readonly<Record<string, string>>

export class Instances {
  readonly broker: KafkaEndpoint
  readonly source: string
  readonly changelog: string
  readonly partitions: number
  readonly #stores: Store[] = []

  static async create({ broker, partitions = 3, changelog }: InstancesOptions = {}): Promise<Instances> {
    const instances = new Instances(broker ?? (await sharedKafka()), partitions)
    await createTopic(instances.broker, instances.source, { partitions })
    if (changelog) await createTopic(instances.broker, instances.changelog, { partitions, config: changelog })
    return instances
  }

  private constructor(broker: KafkaEndpoint, partitions: number) {
    this.broker = broker
    this.partitions = partitions
    this.source = uniqueName('instances')
    this.changelog = `${this.source}-changelog`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()))
  }

  open(settings: Settings = {}): Store {
    const defaults = { SOURCE_TOPIC: this.source, KAFKA_BROKERS: this.broker.bootstrap, AUTO_FLUSH_SECONDS: '0.05' }
    const store = startStore(settingsFrom({ ...defaults, ...settings }), { level: 'error', structured: false })
    this.#stores.push(store)
    return store
  }

  async openReady(settings: Settings = {}): Promise<Store> {
    const store = this.open(settings)
    await this.ready(store)
    return store
  }

  ready(store: Store): Promise<void> {
    return until('the store is ready', () => {
      if (store.state === 'failed') throw new Error(`the store failed: ${store.status().reason}`)
      return isReady(store)
    })
  }

  /** Writes keys with values, null to delete, where Kafka's own partitioner puts them. */
  async write(values: Readonly<Record<string, string | null>>): Promise<void> {
    await this.produce(
      this.source,
      Object.entries(values).map(([key, value]) => ({ key, value })),
    )
  }

  async produce(topic: string, messages: readonly Message[]): Promise<void> {
    const producer = kafkaClient({ bootstrap: this.broker.direct }).producer()
    await producer.connect()
    try {
      const placed = messages.map((message) => ({ partition: this.partitionOf(String(message.key)), ...message }))
      await producer.send({ topic, messages: placed })
    } finally {
      await producer.disconnect()
    }
  }

  partitionOf(key: string): number {
    return partitionFor(Buffer.from(key), this.partitions, 'murmur2')!
  }

  /** Keys that Kafka's own partitioner puts into this partition. */
  keysOf(partition: number, count: number, prefix = 'key'): string[] {
    const keys: string[] = []
    for (let number = 0; keys.length < count; number++) {
      const key = `${prefix}-${number}`
      if (this.partitionOf(key) === partition) keys.push(key)
    }
    return keys
  }

  /** Waits until the store answers correctly for every key of the source. @param held partitions that it holds */
  async agrees(store: Store, held: readonly number[]): Promise<void> {
    const wanted = fold((await readTopic(this.broker.direct, this.source)).records)
    let wrong = ''
    const agrees = async () => {
      for (const [key, value] of wanted) {
        const expected = held.includes(this.partitionOf(key)) ? (value ?? 'key_not_found') : 'partition_not_held'
        const found = await answer(store, key)
        wrong = `${key} is ${found} instead of ${expected}`
        if (found !== expected) return false
      }
      return true
    }
    await until('the store agrees with the source', agrees).catch((error: Error) => {
      throw new Error(`${error.message}: ${wrong}`, { cause: error })
    })
  }

  /** Committed offsets of a group by partition, as lag tools see them; -1 without. */
  async committed(group = this.source): Promise<number[]> {
    const admin = kafkaClient({ bootstrap: this.broker.direct }).admin()
    await admin.connect()
    try {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [this.source] })
      const byPartition = new Map(found!.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
      return Array.from({ length: this.partitions }, (_, partition) => byPartition.get(partition) ?? -1)
    } finally {
      await admin.disconnect()
    }
  }

  /** End offsets of a topic's partitions, from the broker. */
  async ends(topic: string): Promise<number[]> {
    const admin = kafkaClient({ bootstrap: this.broker.direct }).admin()
    await admin.connect()
    try {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => Number(high))
    } finally {
      await admin.disconnect()
    }
  }
}

export function isReady(store: Store): boolean {
  return store.status().conditions.every(({ ok }) => ok)
}

/** Result of a lookup: the value as text, or an error code. */
export async function answer(store: Store, key: string): Promise<string> {
  try {
    const found = await store.get(Buffer.from(key))
    return found === undefined ? 'key_not_found' : Buffer.from(found.value).toString()
  } catch (error) {
    if (error instanceof LatchkeyError) return error.code
    throw error
  }
}

export function answersWith(store: Store, key: string, expected: string): Promise<void> {
  return until(`${key} is ${expected}`, async () => (await answer(store, key)) === expected)
}

export function detailOf(store: Store, partition: number): PartitionStatus {
  return store.status().details.find((detail) => detail.partition === partition)!
}
