import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { type CommittedOffset, fetchCommitted } from '../../kafka/offsets.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import { groupOf } from '../../topics/clients.ts'
import { sourceCommitOf } from './marks.ts'

/** Reads the copy of the source commits that is stored for the changelog topic. Empty if this user may not read it. */
export async function commitsForChangelog(
  client: KafkaClient,
  config: StoreConfig,
  partitions: readonly number[],
): Promise<Map<number, CommittedOffset>> {
  const asked = client.retryForever(() => fetchCommitted(client, groupOf(config), config.changelogTopic, partitions))
  const found = await asked.catch((error: unknown) => {
    if (error instanceof LatchkeyError && error.code === 'broker_refused') return new Map<number, CommittedOffset>()
    throw error
  })
  const marked = new Map<number, CommittedOffset>()
  for (const [partition, commit] of found) {
    const ofIt = sourceCommitOf(commit)
    if (ofIt !== undefined) marked.set(partition, ofIt)
  }
  return marked
}
