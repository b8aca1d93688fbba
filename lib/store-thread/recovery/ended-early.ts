/**
 * Checks at start, before the partitions are taken, whether the changelog ends before the end that the last commit
 * states.
 */
import { fetchCommitted, listOffsets } from '../../kafka/offsets.ts'
import { type Clients, groupOf } from '../../topics/clients.ts'
import { type StoreConfig } from '../../store-protocol/store-config.ts'
import { completenessOf } from '../../topics/completeness.ts'

/**
 * Returns the partitions whose changelog has lost acknowledged records, with a description. This must run before the
 * partitions are taken, for two reasons: taking a partition appends a marker, which could hide that a record is
 * missing; and only now the commit is older than the end that it is compared with, because another instance may still
 * write.
 */
export async function endedEarly(
  { consumer, changelog }: Pick<Clients, 'consumer' | 'changelog'>,
  config: StoreConfig,
  partitions: readonly number[],
): Promise<Map<number, string>> {
  const { sourceTopic, changelogTopic } = config
  const committed = await consumer.persist(() => fetchCommitted(consumer, groupOf(config), sourceTopic, partitions))
  const ends = await changelog.persist(() =>
    listOffsets(changelog, changelogTopic, partitions, 'latest', 'read_uncommitted'),
  )
  const found = new Map<number, string>()
  for (const [partition, { metadata }] of committed) {
    const { changelogEnd } = completenessOf(metadata)
    const end = ends.get(partition)!
    if (end < changelogEnd) found.set(partition, `it ends at offset ${end}, it had reached ${changelogEnd}`)
  }
  return found
}
