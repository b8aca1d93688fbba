import type { Cluster } from '../kafka/topic-admin.ts'
/** A topic read by another client than ours, headers and all, as whoever looks after dead letters does. */
import { until } from '../until.ts'

export interface DeadLetter {
  partition: number
  key: string | null
  value: string | null
  timestamp: number
  headers: Record<string, string>
}

/** Everything that is in a topic once it holds so many records, in the order of partitions and offsets. */
export async function readDeadLetters(cluster: Cluster, topic: string, count: number): Promise<DeadLetter[]> {
  const found = new Map<string, DeadLetter>()
  const consumer = cluster.kafka.consumer({ groupId: `letters-${crypto.randomUUID()}` })
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        const { key, value, headers = {}, timestamp, offset } = message
        const texts = Object.entries(headers).map(([name, text]) => [name, String(text)])
        found.set(`${partition} ${offset.padStart(9, '0')}`, {
          partition,
          key: key?.toString('latin1') ?? null,
          value: value?.toString('latin1') ?? null,
          timestamp: Number(timestamp),
          headers: Object.fromEntries(texts) as Record<string, string>,
        })
      },
    })
    await until(`${topic} holds ${count} records`, () => found.size >= count)
  } finally {
    await consumer.disconnect()
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, letter]) => letter)
}
