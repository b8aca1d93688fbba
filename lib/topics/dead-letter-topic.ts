/** The topic for records that cannot be stored: what it accepts, and its settings if it has to be created. */
import { LatchkeyError } from '../errors.ts'
import type { KafkaClient, TopicMetadata } from '../kafka/client.ts'
import { unknownTopic } from '../kafka/protocol/error-codes.ts'
import { hardMaxBytes } from '../kafka/record-batch/index.ts'
import { describeTopic, type NewTopic } from '../kafka/topics.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { durabilityOf, durabilityWarnings } from './durable-topic.ts'

export interface DeadLetterTopic {
  name: string
  partitions: number
  /** Maximum size of a record batch. */
  maxMessageBytes: number
}

export interface DeadLetterTopology extends DeadLetterTopic {
  /** Settings of the topic to create; undefined if it exists. */
  missing: NewTopic | undefined
  warnings: string[]
}

/** Room for the additions to a record: six headers, including the error message in one of them. */
const roomBytes = 4_096

/** Returns the name of the dead-letter topic; undefined if dead letters are not written. */
export function deadLetterTopicOf(config: StoreConfig): string | undefined {
  const { onBadRecord, deadLetterTopic, useReplicaOnly } = config
  if (onBadRecord !== 'dead-letter' || useReplicaOnly) return undefined
  if (deadLetterTopic !== undefined) return deadLetterTopic
  throw new LatchkeyError(
    'invalid_settings',
    'Reading the settings: with onBadRecord dead-letter, deadLetterTopic is missing',
  )
}

/**
 * @param found metadata of the topic
 * @param sourceMaxBytes maximum size of a batch that the source accepts
 */
export async function inspectDeadLetters(
  client: KafkaClient,
  found: TopicMetadata,
  source: TopicMetadata,
  sourceMaxBytes: number,
): Promise<DeadLetterTopology> {
  const name = found.topic
  const needed = sourceMaxBytes + roomBytes
  if (found.errorCode === unknownTopic) {
    const missing = newTopic(name, source, needed)
    return { name, partitions: missing.partitions, maxMessageBytes: needed, missing, warnings: [] }
  }
  const config = await client.retryForever(() => describeTopic(client, name))
  const accepted = Number(config?.get('max.message.bytes') ?? sourceMaxBytes)
  const warnings: string[] = []
  if (accepted < needed) {
    const effect = `records that do not fit go there without their value; set it to ${needed} or more`
    warnings.push(`Dead-letter topic ${name} has max.message.bytes=${accepted}: ${effect}`)
  }
  if (config?.get('cleanup.policy')?.includes('compact') === true) {
    const effect = 'it keeps one dead letter per key and refuses those without a key; set cleanup.policy=delete on it'
    warnings.push(`Dead-letter topic ${name} has cleanup.policy=${config.get('cleanup.policy')}: ${effect}`)
  }
  if (config !== undefined) {
    const [replicas, ofSource] = [found, source].map(({ partitions }) => partitions[0]?.replicas ?? 1) as [
      number,
      number,
    ]
    warnings.push(...durabilityWarnings(`Dead-letter topic ${name}`, replicas, ofSource, config))
  }
  const maxMessageBytes = Math.min(accepted, hardMaxBytes)
  return { name, partitions: found.partitions.length, maxMessageBytes, missing: undefined, warnings }
}

function newTopic(name: string, source: TopicMetadata, maxMessageBytes: number): NewTopic {
  // Dead letters have the timestamps of their records: with a retention time, letters of an old topic would be deleted
  // at once.
  const replicationFactor = source.partitions[0]?.replicas ?? 1
  const config = {
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'max.message.bytes': String(maxMessageBytes),
    'message.timestamp.type': 'CreateTime',
    ...durabilityOf(replicationFactor),
  }
  return { topic: name, partitions: source.partitions.length, replicationFactor, config }
}
