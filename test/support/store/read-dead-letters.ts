/** Reads a topic with another client than ours, headers included, as an operator of dead letters does. */
import type { Cluster } from '../kafka/topic-admin.ts'
import { until } from '../until.ts'

export interface DeadLetter {
  partition: number
  key: string | null
  value: string | null
  timestamp: number
  headers: Record<string, string>
}

/**
 * Everything that is in a topic once it holds at least so many records, in the order of partitions and offsets. Reads to
 * the ends: a letter may stand twice, so the count alone says nothing of the other partitions.
 */
export async function readDeadLetters(cluster: Cluster, topic: string, count: number): Promise<DeadLetter[]> {
  const found = new Map<string, DeadLetter>()
  const consumer = cluster.kafka.consumer({ groupId: `letters-${crypto.randomUUID()}` })
  const admin = cluster.kafka.admin()
  await Promise.all([consumer.connect(), admin.connect()])
  const readTo = new Map<number, number>()
  const isAtEnds = async () => {
    const ends = await admin.fetchTopicOffsets(topic)
    return ends.every(({ partition, high }) => (readTo.get(partition) ?? 0) >= Number(high))
  }
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
        readTo.set(partition, Number(offset) + 1)
      },
    })
    await until(`${topic} holds ${count} records and is read`, async () => found.size >= count && (await isAtEnds()))
  } finally {
    await Promise.all([consumer.disconnect(), admin.disconnect()])
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, letter]) => letter)
}
