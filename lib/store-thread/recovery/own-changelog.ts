/**
 * Checks at start, before the partitions are taken, that the changelog is this store's. One wrong setting would make a
 * store take another store's changelog, find that it does not fit the source, and delete all of it.
 */
import { LatchkeyError } from '../../errors.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { isDamage } from '../../kafka/damaged-batches.ts'
import { type CommittedOffset, committedTopics, listOffsets } from '../../kafka/offsets.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import { type Clients, groupOf } from '../../topics/clients.ts'
import { atOnce } from '../at-once.ts'
import { commitsForChangelog } from './changelog-commits.ts'
import { type LogPart, openBatches } from './log-batches.ts'
import { isRecreated } from './source-check.ts'
import { type SourcePosition, SourceTrail } from './source-trail.ts'

/** Offsets at the end of the changelog among which a record of the source is searched. */
const tailOffsets = 1_000
/** Partitions whose ends are read at a time. Each holds one Fetch response, of 1 MiB at most. */
const tailsMax = 16

/**
 * Accepts a partition for which the group has committed nothing only if the end of its changelog fits the source.
 * @param committed of the group for the source
 * @throws LatchkeyError topics_unfit
 */
export async function requireOwnChangelog(
  { consumer, changelog }: Pick<Clients, 'consumer' | 'changelog'>,
  config: StoreConfig,
  partitions: readonly number[],
  committed: ReadonlyMap<number, CommittedOffset>,
  keepsTimestamps: boolean,
): Promise<void> {
  const { sourceTopic, changelogTopic } = config
  const unknown = partitions.filter((partition) => !committed.has(partition))
  // A rebuild deletes on request.
  if (config.rebuild === true || unknown.length === 0) return
  const found = await lastSourceRecords(changelog, changelogTopic, unknown)
  if (found.size === 0) return
  const group = groupOf(config)
  const topics = await consumer.retryForever(() => committedTopics(consumer, group))
  // The cluster forgets a topic's commits when the topic is deleted, so the group's other topic exists.
  const other = topics.find((topic) => topic !== sourceTopic && topic !== changelogTopic)
  const marked = await commitsForChangelog(consumer, config, unknown)
  if (other !== undefined) throw ofAnother(config, [...found.keys()][0]!, `group ${group} has read ${other} into it`)
  for (const partition of marked.keys()) found.delete(partition)
  if (found.size === 0) return
  const ends = await consumer.retryForever(() => listOffsets(consumer, sourceTopic, [...found.keys()], 'latest'))
  const checks = [...found].map(async ([partition, last]) => {
    if (await fits(consumer, sourceTopic, partition, last, ends.get(partition)!, keepsTimestamps)) return
    const foreign = `its last records do not come from ${sourceTopic}, and group ${group} has committed nothing`
    throw ofAnother(config, partition, foreign)
  })
  await Promise.all(checks)
}

/** Returns for each partition the last record of its changelog's end that came from a source. */
async function lastSourceRecords(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, SourcePosition>> {
  const [starts, ends] = await Promise.all([
    client.retryForever(() => listOffsets(client, topic, partitions, 'earliest')),
    client.retryForever(() => listOffsets(client, topic, partitions, 'latest')),
  ])
  const found = new Map<number, SourcePosition>()
  await atOnce(tailsMax, ends, async ([partition, to]) => {
    const from = Math.max(starts.get(partition)!, to - tailOffsets)
    const last = await lastSourceRecord(client, topic, partition, { from, to })
    if (last !== undefined) found.set(partition, last)
  })
  return found
}

async function lastSourceRecord(
  client: KafkaClient,
  topic: string,
  partition: number,
  part: LogPart,
): Promise<SourcePosition | undefined> {
  const trail = new SourceTrail()
  try {
    for await (const batch of openBatches(client, topic, partition, part)) {
      while (batch.nextRecord()) if (!batch.undecodable) trail.note(batch, batch.sourceOffset())
      trail.settle(batch)
    }
  } catch (error) {
    // Recovery reads the same batch and reports it.
    if (isDamage(error)) return undefined
    throw error
  }
  return trail.last
}

async function fits(
  client: KafkaClient,
  topic: string,
  partition: number,
  last: SourcePosition,
  end: number,
  keepsTimestamps: boolean,
): Promise<boolean> {
  if (last.offset >= end) return false
  return !(await client.retryForever(() => isRecreated(client, topic, partition, last, keepsTimestamps)))
}

function ofAnother({ changelogTopic, sourceTopic }: StoreConfig, partition: number, found: string): LatchkeyError {
  const advice = `correct CHANGELOG_TOPIC, SOURCE_TOPIC or STORE_ID; if ${changelogTopic} is to be deleted and filled from ${sourceTopic}, start once with --rebuild`
  const attempted = `Looking at ${changelogTopic} partition ${partition}`
  return new LatchkeyError('topics_unfit', `${attempted}: it is another store's: ${found}; ${advice}`)
}
