/** Detects where a changelog partition differs from what was written to it. */
import type { KafkaClient } from '../../kafka/client.ts'
import { endOfLeaderEpoch } from '../../kafka/leader-epochs.ts'
import { listOffsets } from '../../kafka/offsets.ts'

/** States that everything below `end` was once in leader epoch `epoch` or lower ones. */
export interface ConfirmedEnd {
  end: number
  epoch: number | undefined
}

/**
 * Returns the offset from which the log has lost what it had up to `written`; undefined if it has everything. To be
 * called before anything more is written: after that the log grows again, and only `confirmed` reveals the loss.
 * Retries until the partition's leader answers.
 * @param client the client that writes, because it knows the leader whose response raised the question
 */
export async function divergedAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  written: number,
  confirmed: ConfirmedEnd | undefined,
): Promise<number | undefined> {
  // A leader that was just elected answers only when it knows the end of what is acknowledged (KIP-207).
  const ends = await client.retryForever(() => listOffsets(client, topic, [partition], 'latest', 'read_uncommitted'))
  const losses: number[] = []
  const end = ends.get(partition)!
  if (end < written) losses.push(Math.max(end, await client.retryForever(() => leadersEnd(client, topic, partition))))
  if (confirmed?.epoch !== undefined && confirmed.end <= written) {
    const { epoch } = confirmed
    const found = await client.retryForever(() => endOfLeaderEpoch(client, topic, partition, epoch))
    if (found !== undefined && found.endOffset < confirmed.end) losses.push(found.endOffset)
  }
  const lowest = Math.min(...losses)
  return lowest < written ? lowest : undefined
}

/** Returns the end of the leader's own log, which may be ahead of its replicas with acks=1; -1 if unknown. */
async function leadersEnd(client: KafkaClient, topic: string, partition: number): Promise<number> {
  await client.leaders(topic, [partition])
  const epoch = client.topics.leaderEpoch(topic, partition)
  const found = epoch < 0 ? undefined : await endOfLeaderEpoch(client, topic, partition, epoch)
  return found?.epoch === epoch ? found.endOffset : -1
}
