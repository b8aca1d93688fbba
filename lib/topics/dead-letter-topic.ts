/** The topic for records that cannot be stored: what it takes, and how it is created where it is missing. */
import { LatchkeyError } from '../errors.ts'
import { type KafkaClient, type TopicMetadata } from '../kafka/client.ts'
import { unknownTopic } from '../kafka/protocol/error-codes.ts'
import { hardMaxBytes } from '../kafka/record-batch/index.ts'
import { describeTopic, type NewTopic } from '../kafka/topics.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'
import { durabilityOf, durabilityWarnings } from './durable-topic.ts'

export interface DeadLetterTopic {
  name: string
  partitions: number
  /** Of a record batch. */
  maxMessageBytes: number
}

export interface DeadLetterTopology extends DeadLetterTopic {
  /** What would be created; undefined where it exists. */
  missing: NewTopic | undefined
  warnings: string[]
}

/** What is added to a record: six headers and the message in one of them. */
const roomBytes = 4_096

/** Name of the dead-letter topic; undefined where nothing is written to one. */
export function deadLetterTopicOf(config: StoreConfig): string | undefined {
  const { onBadRecord, deadLetterTopic, useReplicaOnly } = config
  if (onBadRecord !== 'dead-letter' || useReplicaOnly) return undefined
  if (deadLetterTopic !== undefined) return deadLetterTopic
  throw new LatchkeyError(
    'invalid_settings',
    'Reading the settings: with onBadRecord dead-letter, deadLetterTopic is missing',
  )
}

/** @param found what the brokers know of it @param sourceMaxBytes what the source accepts */
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
  const config = await client.persist(() => describeTopic(client, name))
  const accepted = Number(config?.get('max.message.bytes') ?? sourceMaxBytes)
  const warnings: string[] = []
  if (accepted < needed) {
    const effect = `records that it has no room for go there without their value; set it to ${needed} or more`
    warnings.push(`Dead-letter topic ${name} has max.message.bytes=${accepted}: ${effect}`)
  }
  if (config?.get('cleanup.policy')?.includes('compact') === true) {
    const effect = 'it keeps one letter a key and refuses those without a key; set cleanup.policy=delete on it'
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
  // Letters have the timestamps of their records: with a retention those of an old topic would be gone at once.
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
