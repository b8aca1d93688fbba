/**
 * Detects at start, by topic ids and leader epochs, whether source and changelog are still the logs that the last
 * commit describes.
 */
import type { KafkaClient } from '../../kafka/client.ts'
import { EpochTrail } from '../../kafka/epoch-trail.ts'
import { divergenceOf, endOfLeaderEpoch } from '../../kafka/leader-epochs.ts'
import type { CommittedOffset } from '../../kafka/offsets.ts'
import { completenessOf } from '../../topics/completeness.ts'
import { marksIn } from './marks.ts'

/** Descriptions of the changes of one partition; undefined if no change was detected. */
export interface TopicChanges {
  source: string | undefined
  changelog: string | undefined
}

export async function topicChanges(
  client: KafkaClient,
  { sourceTopic, changelogTopic }: { sourceTopic: string; changelogTopic: string },
  partition: number,
  committed: CommittedOffset | undefined,
): Promise<TopicChanges> {
  if (committed === undefined) return { source: undefined, changelog: undefined }
  const [source, changelog] = await Promise.all([
    client.retryForever(() => sourceChange(client, sourceTopic, partition, committed)),
    client.retryForever(() => changelogChange(client, changelogTopic, partition, committed.metadata)),
  ])
  return { source, changelog }
}

async function sourceChange(
  client: KafkaClient,
  topic: string,
  partition: number,
  { offset, metadata }: CommittedOffset,
): Promise<string | undefined> {
  const { sourceId, sourceEpochs } = marksIn(metadata)
  const recreated = await idChange(client, topic, partition, sourceId)
  if (recreated !== undefined || sourceEpochs === undefined) return recreated
  const trail = EpochTrail.from(sourceEpochs)
  const divergedAt = await divergenceOf(client, topic, partition, trail, trail.epochBefore(offset), () => offset)
  if (divergedAt === undefined) return undefined
  return `its records from offset ${divergedAt} on are not those that were read up to offset ${offset}`
}

async function changelogChange(
  client: KafkaClient,
  topic: string,
  partition: number,
  metadata: string,
): Promise<string | undefined> {
  const { changelogId, changelogEpoch } = marksIn(metadata)
  const { changelogEnd } = completenessOf(metadata)
  const recreated = await idChange(client, topic, partition, changelogId)
  if (recreated !== undefined || changelogEpoch === undefined) return recreated
  const end = await endOfLeaderEpoch(client, topic, partition, changelogEpoch)
  if (end === undefined || end.endOffset >= changelogEnd) return undefined
  return `its records from offset ${end.endOffset} on are not those that were written up to offset ${changelogEnd}`
}

async function idChange(
  client: KafkaClient,
  topic: string,
  partition: number,
  stated: string | undefined,
): Promise<string | undefined> {
  await client.leaders(topic, [partition])
  const now = client.topics.id(topic)
  if (stated === undefined || now === undefined || stated === now) return undefined
  return `its topic id is ${now}, it had been ${stated}`
}
