/** The changelog topic: settings of a new one, what it accepts, and warnings about its settings. */
import type { TopicMetadata } from '../kafka/client.ts'
import { recordOverheadBytesMax } from '../kafka/record-batch/index.ts'
import { durabilityOf, durabilityWarnings } from './durable-topic.ts'

export interface ChangelogLimits {
  /** Maximum size of a record batch as it is written. */
  maxMessageBytes: number
  /** How far a record's timestamp may be from the broker's clock. */
  timestampBeforeMaxMs: number
  timestampAfterMaxMs: number
  /** Whether it stores every source timestamp unchanged. */
  keepsTimestamps: boolean
}

export interface NewChangelog {
  partitions: number
  replicationFactor: number
  config: Record<string, string>
}

const unlimitedMs = '9223372036854775807'
/**
 * Time for which compaction keeps the tombstones of a new changelog: 7 days instead of Kafka's one. A reader that
 * continues from a position, such as a store with a local snapshot, misses no deletion as long as it is not behind by
 * more than that. Tombstones are small.
 */
const deleteRetentionMs = 7 * 24 * 3_600_000
/** Kafka's defaults, for a user who may not read topic configurations. */
const defaultMaxMessageBytes = 1_048_588
const defaultTimestampAfterMaxMs = 3_600_000

export function newChangelog(source: TopicMetadata, sourceConfig: Map<string, string> | undefined): NewChangelog {
  const config: Record<string, string> = {
    'cleanup.policy': 'compact',
    'delete.retention.ms': String(deleteRetentionMs),
    'max.message.bytes': String(maxMessageBytes(sourceConfig) + recordOverheadBytesMax),
    'message.timestamp.type': 'CreateTime',
  }
  // Kafka before 3.6 has one setting where later versions have two. Without the source's settings the version is
  // unknown.
  if (sourceConfig?.has('message.timestamp.after.max.ms') ?? true) {
    config['message.timestamp.before.max.ms'] = unlimitedMs
    config['message.timestamp.after.max.ms'] = unlimitedMs
  }
  const replicationFactor = source.partitions[0]?.replicas ?? 1
  Object.assign(config, durabilityOf(replicationFactor))
  return { partitions: source.partitions.length, replicationFactor, config }
}

export function limitsOf(config: Map<string, string> | undefined): ChangelogLimits {
  const number = (name: string, otherwise: number) => Number(config?.get(name) ?? otherwise)
  const both = number('message.timestamp.difference.max.ms', Number.MAX_SAFE_INTEGER)
  const timestampBeforeMaxMs = number('message.timestamp.before.max.ms', both)
  const timestampAfterMaxMs = number('message.timestamp.after.max.ms', Math.min(both, defaultTimestampAfterMaxMs))
  const isUnlimited = Math.min(timestampBeforeMaxMs, timestampAfterMaxMs) >= Number.MAX_SAFE_INTEGER
  const keepsTimestamps = isUnlimited && config?.get('message.timestamp.type') === 'CreateTime'
  return { maxMessageBytes: maxMessageBytes(config), timestampBeforeMaxMs, timestampAfterMaxMs, keepsTimestamps }
}

export function maxMessageBytes(config: Map<string, string> | undefined): number {
  return Number(config?.get('max.message.bytes') ?? defaultMaxMessageBytes)
}

/** Returns a warning if the brokers report no topic ids: then recreated topics are recognised by other signs. */
export function topicIdWarnings({ topic, id }: Pick<TopicMetadata, 'topic' | 'id'>): string[] {
  if (id !== undefined) return []
  const found = `The brokers know no topic ids (Kafka before 2.8): a topic that takes the place of ${topic} or of its changelog is recognised by records, offsets and leader epochs only`
  return [`${found}; stop the store before a topic is recreated`]
}

export function warningsAbout(
  { topic, partitions }: TopicMetadata,
  sourceReplicas: number,
  source: Map<string, string> | undefined,
  changelog: Map<string, string> | undefined,
): string[] {
  if (changelog === undefined) return []
  const warnings: string[] = []
  const policy = changelog.get('cleanup.policy') ?? ''
  if (!policy.split(',').includes('compact')) {
    warnings.push(
      `Changelog topic ${topic} has cleanup.policy=${policy}: what its retention removes is missing after a restart, and it grows with every update; ` +
        'set cleanup.policy=compact on it',
    )
  } else if (policy !== 'compact') {
    warnings.push(
      `Changelog topic ${topic} has cleanup.policy=${policy}: what its retention removes is missing after a restart; set cleanup.policy=compact on it`,
    )
  }
  if (maxMessageBytes(changelog) < maxMessageBytes(source) + recordOverheadBytesMax) {
    warnings.push(
      `Changelog topic ${topic} has max.message.bytes=${maxMessageBytes(changelog)}, too little for the largest records of the source with their header: ` +
        `such records are skipped and counted; set it to ${maxMessageBytes(source) + recordOverheadBytesMax} or more`,
    )
  }
  if (changelog.get('message.timestamp.type') === 'LogAppendTime') {
    warnings.push(
      `Changelog topic ${topic} has message.timestamp.type=LogAppendTime: after a restart Last-Modified shows when a record was copied; set CreateTime`,
    )
  }
  return [
    ...warnings,
    ...durabilityWarnings(`Changelog topic ${topic}`, partitions[0]?.replicas ?? 1, sourceReplicas, changelog),
  ]
}
