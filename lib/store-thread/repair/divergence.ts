/** Where a changelog partition is not any more what was written to it. */
import { type KafkaClient } from '../../kafka/client.ts'
import { endOfLeaderEpoch } from '../../kafka/leader-epochs.ts'
import { listOffsets } from '../../kafka/offsets.ts'

/** Everything below an end was in a leader epoch or lower ones, once. */
export interface ConfirmedEnd {
  end: number
  epoch: number | undefined
}

/**
 * The offset from which on the log has lost what it had up to `written`; undefined where it has everything. Ask before anything more is written: the log
 * grows again, and only `confirmed` tells then. Repeats until the partition's leader answers.
 * @param client the one that writes: the leader that it knows is the one whose answer gave rise to the question
 */
export async function divergedAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  written: number,
  confirmed: ConfirmedEnd | undefined,
): Promise<number | undefined> {
  // A leader that was elected just now answers only when it knows the end of what is acknowledged (KIP-207).
  const ends = await client.persist(() => listOffsets(client, topic, [partition], 'latest', 'read_uncommitted'))
  const losses: number[] = []
  const end = ends.get(partition)!
  if (end < written) losses.push(Math.max(end, await client.persist(() => leadersEnd(client, topic, partition))))
  if (confirmed?.epoch !== undefined && confirmed.end <= written) {
    const { epoch } = confirmed
    const found = await client.persist(() => endOfLeaderEpoch(client, topic, partition, epoch))
    if (found !== undefined && found.endOffset < confirmed.end) losses.push(found.endOffset)
  }
  const lowest = Math.min(...losses)
  return lowest < written ? lowest : undefined
}

/** Where the leader's own log ends, which with acks=1 can be ahead of its replicas; -1 where it is not known. */
async function leadersEnd(client: KafkaClient, topic: string, partition: number): Promise<number> {
  await client.leaders(topic, [partition])
  const epoch = client.topics.leaderEpoch(topic, partition)
  const found = epoch < 0 ? undefined : await endOfLeaderEpoch(client, topic, partition, epoch)
  return found?.epoch === epoch ? found.endOffset : -1
}
