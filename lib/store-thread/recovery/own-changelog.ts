/**
 * Checks at start, before the partitions are taken, that the changelog is this store's. One wrong setting would make a
 * store take another store's changelog, find that it does not fit the source, and delete all of it.
 */
import { LatchkeyError } from '../../errors.ts'
import { type KafkaClient } from '../../kafka/client.ts'
import { type CommittedOffset, committedTopics, listOffsets } from '../../kafka/offsets.ts'
import { type Clients, groupOf } from '../../topics/clients.ts'
import { type StoreConfig } from '../../store-protocol/store-config.ts'
import { openBatches } from './log-batches.ts'
import { isRecreated } from './source-check.ts'
import { type SourceRecord, SourceTrail } from './source-trail.ts'

/** Offsets at the end of the changelog among which a record of the source is looked for. */
const tailOffsets = 1_000

export interface OwnChangelogInput {
  /** Commits of this store's group for the source. */
  committed: ReadonlyMap<number, CommittedOffset>
  /** The copies of these that are stored for the changelog topic. */
  marked: ReadonlyMap<number, CommittedOffset>
  keepsTimestamps: boolean
}

/**
 * A partition for which the group has committed nothing is accepted only if the end of its changelog fits the source.
 * @throws LatchkeyError topics_unfit
 */
export async function requireOwnChangelog(
  { consumer, changelog }: Pick<Clients, 'consumer' | 'changelog'>,
  config: StoreConfig,
  partitions: readonly number[],
  { committed, marked, keepsTimestamps }: OwnChangelogInput,
): Promise<void> {
  const { sourceTopic, changelogTopic } = config
  // A rebuild deletes on request.
  if (config.rebuild === true || partitions.every((partition) => committed.has(partition))) return
  const group = groupOf(config)
  const topics = await consumer.persist(() => committedTopics(consumer, group))
  const other = topics.find((topic) => topic !== sourceTopic && topic !== changelogTopic)
  for (const partition of partitions) {
    if (committed.has(partition)) continue
    const last = await lastSourceRecord(changelog, changelogTopic, partition)
    if (last === undefined) continue
    // The cluster forgets a topic's commits when it is deleted: the group's other topic exists, so it was not renamed.
    if (other !== undefined) throw ofAnother(config, partition, `group ${group} has read ${other} into it`)
    if (marked.has(partition)) continue
    if (await fits(consumer, sourceTopic, partition, last, keepsTimestamps)) continue
    const found = `its last records do not come from ${sourceTopic}, and group ${group} has committed nothing`
    throw ofAnother(config, partition, found)
  }
}

async function lastSourceRecord(
  client: KafkaClient,
  topic: string,
  partition: number,
): Promise<SourceRecord | undefined> {
  const ends = (spec: 'earliest' | 'latest') => client.persist(() => listOffsets(client, topic, [partition], spec))
  const start = (await ends('earliest')).get(partition)!
  const to = (await ends('latest')).get(partition)!
  const trail = new SourceTrail()
  try {
    for await (const batch of openBatches(client, topic, partition, { from: Math.max(start, to - tailOffsets), to })) {
      while (batch.nextRecord()) if (!batch.undecodable) trail.note(batch, batch.sourceOffset())
      trail.settle(batch)
    }
  } catch (error) {
    // Recovery reads the same batch and reports it.
    if (error instanceof LatchkeyError && error.code === 'record_batch_corrupt') return undefined
    throw error
  }
  return trail.last
}

async function fits(
  client: KafkaClient,
  topic: string,
  partition: number,
  last: SourceRecord,
  keepsTimestamps: boolean,
): Promise<boolean> {
  const ends = await client.persist(() => listOffsets(client, topic, [partition], 'latest'))
  if (last.offset >= ends.get(partition)!) return false
  return !(await client.persist(() => isRecreated(client, topic, partition, last, keepsTimestamps)))
}

function ofAnother({ changelogTopic, sourceTopic }: StoreConfig, partition: number, found: string): LatchkeyError {
  const advice = `correct CHANGELOG_TOPIC, SOURCE_TOPIC or STORE_ID; if ${changelogTopic} is to be deleted and filled from ${sourceTopic}, start once with --rebuild`
  const attempted = `Looking at ${changelogTopic} partition ${partition}`
  return new LatchkeyError('topics_unfit', `${attempted}: it is another store's: ${found}; ${advice}`)
}
