/**
 * Checks at start, before the partitions are taken, whether the changelog ends before the end that the last commit
 * states.
 */
import type { KafkaClient } from '../../kafka/client.ts'
import { type CommittedOffset, listOffsets } from '../../kafka/offsets.ts'
import { completenessOf } from '../../topics/completeness.ts'

/**
 * Returns the partitions whose changelog has lost acknowledged records, with a description. This must run before the
 * partitions are taken, for two reasons: taking a partition appends a marker, which could hide that a record is
 * missing; and only now the commit is older than the end that it is compared with, because another instance may still
 * write.
 * @param committed of the group for the source
 */
export async function endedEarly(
  client: KafkaClient,
  changelogTopic: string,
  committed: ReadonlyMap<number, CommittedOffset>,
): Promise<Map<number, string>> {
  const found = new Map<number, string>()
  if (committed.size === 0) return found
  const partitions = [...committed.keys()]
  const ends = await client.retryForever(() =>
    listOffsets(client, changelogTopic, partitions, 'latest', 'read_uncommitted'),
  )
  for (const [partition, { metadata }] of committed) {
    const { changelogEnd } = completenessOf(metadata)
    const end = ends.get(partition)!
    if (end < changelogEnd) found.set(partition, `it ends at offset ${end}, it had reached ${changelogEnd}`)
  }
  return found
}
