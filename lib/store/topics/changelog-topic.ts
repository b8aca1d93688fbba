/** The changelog topic: how it is created, what it accepts, and what of its settings is worth a warning. */
import { getLogger } from '@logtape/logtape'
import { LatchkeyError } from '../../errors.ts'
import { type KafkaClient, type TopicMetadata } from '../../kafka/client.ts'
import { recordOverheadBytesMax } from '../../kafka/record-batch/index.ts'
import { createTopic } from '../../kafka/topics.ts'

export interface ChangelogLimits {
  /** Of a record batch as it is written. */
  maxMessageBytes: number
  /** How far from the broker's clock a record's timestamp may lie. */
  timestampBeforeMaxMs: number
  timestampAfterMaxMs: number
  /** Whether it stores every source timestamp as it is. */
  keepsTimestamps: boolean
}

export interface NewChangelog {
  partitions: number
  replicationFactor: number
  config: Record<string, string>
}

/** With fewer, one that is gone would keep the topic from being written. */
const replicasForTwoInSync = 3
const unlimitedMs = '9223372036854775807'
/** Kafka's own defaults, for a user who may not read topic configurations. */
const defaultMaxMessageBytes = 1_048_588
const defaultTimestampAfterMaxMs = 3_600_000

export function newChangelog(source: TopicMetadata, sourceConfig: Map<string, string> | undefined): NewChangelog {
  const config: Record<string, string> = {
    'cleanup.policy': 'compact',
    'max.message.bytes': String(maxMessageBytes(sourceConfig) + recordOverheadBytesMax),
    'message.timestamp.type': 'CreateTime',
  }
  // Kafka before 3.6 has one setting where later ones have two: without reading the source's we do not know which to name.
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

/** Where the brokers name no topic ids, other signs have to do. */
export function withoutIds({ topic, id }: Pick<TopicMetadata, 'topic' | 'id'>): string[] {
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
  return [...warnings, ...durabilityWarnings(topic, partitions[0]?.replicas ?? 1, sourceReplicas, changelog)]
}

/** What keeps an acknowledged record when brokers fail: with three replicas, one of them may be gone, and a record is at two when it is acknowledged. */
function durabilityOf(replicas: number): Record<string, string> {
  const inSync = replicas >= replicasForTwoInSync ? { 'min.insync.replicas': '2' } : {}
  return { ...inSync, 'unclean.leader.election.enable': 'false' }
}

function durabilityWarnings(
  topic: string,
  replicas: number,
  sourceReplicas: number,
  config: Map<string, string>,
): string[] {
  const warnings: string[] = []
  if (replicas < sourceReplicas) {
    warnings.push(
      `Changelog topic ${topic} keeps ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}, and the source ${sourceReplicas}: it can be lost where the source is not; ` +
        `give it ${sourceReplicas} (kafka-reassign-partitions)`,
    )
  }
  if (replicas >= replicasForTwoInSync && Number(config.get('min.insync.replicas') ?? 1) < 2) {
    warnings.push(
      `Changelog topic ${topic} has min.insync.replicas=${config.get('min.insync.replicas') ?? 1}: what it acknowledges may be at one broker alone, and is lost with that; ` +
        'set min.insync.replicas=2 on it',
    )
  }
  if (replicas > 1 && config.get('unclean.leader.election.enable') === 'true') {
    warnings.push(
      `Changelog topic ${topic} has unclean.leader.election.enable=true: a replica that lacks records may become the leader, and what it lacks is lost; ` +
        'set unclean.leader.election.enable=false on it',
    )
  }
  return warnings
}

/** Creates the changelog. A cluster whose policy does not let users choose how durable it is creates it by its own settings. */
export async function createChangelog(client: KafkaClient, topic: string, changelog: NewChangelog): Promise<void> {
  try {
    await client.persist(() => createTopic(client, { topic, ...changelog }))
  } catch (error) {
    const isPolicy =
      error instanceof LatchkeyError && /POLICY_VIOLATION|INVALID_CONFIG/.test(String(error.details['kafka']))
    if (!isPolicy) throw error
    const durability = durabilityOf(changelog.replicationFactor)
    const config = Object.fromEntries(Object.entries(changelog.config).filter(([name]) => !(name in durability)))
    await client.persist(() => createTopic(client, { topic, ...changelog, config }))
    const message = '{fault}: created without {settings}, by the settings of the cluster'
    const settings = Object.keys(durability).join(' and ')
    getLogger(['latchkey', 'store']).warn(message, { fault: error.message, settings })
  }
}
