/** Where a changelog partition is not any more what was written to it. */
import { type KafkaClient } from '../../kafka/client.ts'
import { listOffsets } from '../../kafka/offsets.ts'

/**
 * The offset from which on the log has lost what it had up to `written`; undefined where it has everything. Ask before anything more is written: the log
 * grows again. Repeats until the partition's leader answers.
 * @param client the one that writes: the leader that it knows is the one whose answer gave rise to the question
 */
export async function divergedAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  written: number,
): Promise<number | undefined> {
  // A leader that was elected just now answers only when it knows the end of what is acknowledged (KIP-207).
  const ends = await client.persist(() => listOffsets(client, topic, [partition], 'latest', 'read_uncommitted'))
  const end = ends.get(partition)!
  return end < written ? end : undefined
}
