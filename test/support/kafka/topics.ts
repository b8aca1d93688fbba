import { randomBytes } from 'node:crypto'
import { type ITopicConfig, Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import '../../../lib/kafka/connection/broker-connection.ts' // mends the timers of kafkajs, which otherwise warn
import { until } from '../until.ts'
import type { KafkaEndpoint } from './broker/broker.ts'
import { type ClusterView, clusterView, endOffsets, type PartitionView } from './cluster/requests.ts'

/** A name that no other test and no earlier run on a shared broker uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}

/** A quiet kafkajs client for what a test does beside the code under test. */
export function kafkaClient(broker: Pick<KafkaEndpoint, 'bootstrap'>, config: Partial<KafkaConfig> = {}): Kafka {
  return new Kafka({
    clientId: 'test',
    brokers: broker.bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 50, retries: 20 },
    ...config,
  })
}

export interface TopicOptions {
  partitions?: number
  /** Brokers of each partition, the preferred leader first, in the place of a number of partitions. */
  replicas?: readonly (readonly number[])[]
  /** Topic settings, for example `cleanup.policy`. */
  config?: Readonly<Record<string, string>>
}

/**
 * Creates a topic and resolves with its name once every broker that answers knows a leader of every partition, and the leaders have opened their
 * logs. A leader that has not yet refuses a partition, and kafkajs then sends the others again, too: records would be there twice. Records stay,
 * with any timestamps, unless the test says otherwise: Kafka soon deletes those of more than a week ago.
 */
export async function createTopic(
  broker: Pick<KafkaEndpoint, 'direct'>,
  name: string,
  options: TopicOptions = {},
): Promise<string> {
  const config = { 'retention.ms': '-1', ...options.config }
  const admin = kafkaClient({ bootstrap: broker.direct }).admin()
  await admin.connect()
  try {
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        {
          topic: name,
          ...placement(options),
          configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
        },
      ],
    })
    // A broker that has not heard of it says that there is none, and kafkajs fails.
    await until(`${name} has leaders`, async () => {
      const found = await admin.fetchTopicMetadata({ topics: [name] }).catch(() => undefined)
      return found?.topics[0]?.partitions.every(({ leader }) => leader >= 0) === true
    })
  } finally {
    await admin.disconnect()
  }
  // Brokers of a cluster come to know it one after another.
  let partitions: number[] = []
  const addresses = new Set<string>()
  await until(`${name} has leaders`, async () => {
    const views = await Promise.all(broker.direct.split(',').map((address) => clusterView(address)))
    for (const address of views.flatMap((view) => view?.addresses ?? [])) addresses.add(address)
    partitions = partitionsOf(views.find(Boolean), name).map(({ partition }) => partition)
    return views.every((view) => view === undefined || isLed(view, name))
  })
  await until(`the leaders of ${name} take records`, async () => {
    const ends = await Promise.all([...addresses].map((address) => endOffsets(address, name, partitions)))
    return new Set(ends.flatMap((known) => [...known.keys()])).size === partitions.length
  })
  return name
}

function partitionsOf(view: ClusterView | undefined, name: string): PartitionView[] {
  return view?.partitions.filter(({ topic }) => topic === name) ?? []
}

function isLed(view: ClusterView, name: string): boolean {
  const found = partitionsOf(view, name)
  return found.length > 0 && found.every(({ leader }) => leader >= 0)
}

function placement({ partitions = 1, replicas }: TopicOptions): Partial<ITopicConfig> {
  if (replicas === undefined) return { numPartitions: partitions }
  return { replicaAssignment: replicas.map((ids, partition) => ({ partition, replicas: [...ids] })) }
}
