import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { listOffsets } from '../../../lib/kafka/offsets.ts'

/** Sum of a topic's high watermarks: what its partitions have, acknowledged by all in-sync replicas. */
export async function endOf(client: KafkaClient, topic: string, partitions: number): Promise<number> {
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  const ends = await client.retryForever(() => listOffsets(client, topic, numbers, 'latest', 'read_uncommitted'))
  return [...ends.values()].reduce((sum, end) => sum + end, 0)
}

export interface Growth {
  records: number
  ms: number
}

const pollMs = 5

/**
 * Waits until a topic that had `start` records has `records` more. What is timed begins with the first of them that is seen and ends with
 * the last, so that no start of a process is in it. One record a partition may be a marker that fences.
 */
export async function growth(
  client: KafkaClient,
  topic: string,
  partitions: number,
  start: number,
  records: number,
  timeoutMs: number,
): Promise<Growth> {
  const deadline = performance.now() + timeoutMs
  let first: { end: number; at: number } | undefined
  for (;;) {
    const end = await endOf(client, topic, partitions)
    const at = performance.now()
    if (!first && end > start + partitions) first = { end, at }
    if (first && end >= start + records) return { records: end - first.end, ms: at - first.at }
    if (at > deadline) throw new Error(`${topic} has ${end - start} of ${records} records after ${timeoutMs} ms`)
    await Bun.sleep(pollMs)
  }
}
