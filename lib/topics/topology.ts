/** The topics of a store: whether they fit each other, what the changelog accepts, and the creation of missing ones. */
import { LatchkeyError } from '../errors.ts'
import { sleep } from '../kafka/backoff.ts'
import type { KafkaClient, TopicMetadata } from '../kafka/client.ts'
import { errorName, isAuthorizationFailure, isNotAvailable, unknownTopic } from '../kafka/protocol/error-codes.ts'
import { describeTopic, extendTopic } from '../kafka/topics.ts'
import { loggerOf } from '../log/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { counted, nounFor } from '../text/counted.ts'
import {
  type ChangelogLimits,
  limitsOf,
  maxMessageBytes,
  type NewChangelog,
  newChangelog,
  topicIdWarnings,
  warningsAbout,
} from './changelog-topic.ts'
import { deadLetterTopicOf, type DeadLetterTopology, inspectDeadLetters } from './dead-letter-topic.ts'
import { createDurable } from './durable-topic.ts'

export interface Topology {
  /** Number of partitions of both topics. */
  partitionCount: number
  limits: ChangelogLimits
  /** Warnings that do not prevent a start. */
  warnings: string[]
  /** The changelog has fewer partitions than the source, and is to be extended. */
  extends: boolean
  /** Settings of the changelog to create; undefined if it exists. */
  missingChangelog: NewChangelog | undefined
  /** Topic for records that cannot be stored; undefined if they are not written to a topic. */
  deadLetters: DeadLetterTopology | undefined
}

/** Time to wait for a topic: a new topic may not be known to every broker yet. */
const patienceMs = 5_000

/**
 * Inspects the topics. Changes nothing.
 *
 * @throws LatchkeyError topics_unfit that names every fault; other errors while Kafka cannot be reached
 */
export async function inspectTopics(client: KafkaClient, config: StoreConfig): Promise<Topology> {
  const { sourceTopic, changelogTopic } = config
  if (config.useReplicaOnly) return inspectChangelog(client, config)
  const source = await findTopic(client, sourceTopic)
  if (source === undefined) {
    const advice = 'create it, or correct SOURCE_TOPIC or KAFKA_BROKERS'
    throw unfit([`source topic ${sourceTopic} does not exist on ${brokerList(config)}: ${advice}`])
  }
  const [changelog] = await client.metadata([changelogTopic])
  const deadLetterTopic = deadLetterTopicOf(config)
  const [deadLetterMetadata] = deadLetterTopic === undefined ? [] : await client.metadata([deadLetterTopic])
  const topics = [source, changelog!, ...(deadLetterMetadata ? [deadLetterMetadata] : [])]
  const faults = topics.flatMap((topic) => accessFault(topic))
  const exists = changelog!.errorCode !== unknownTopic
  const found = changelog!.partitions.length
  const isShort = exists && found < source.partitions.length
  const isExtended = isShort && config.extendsChangelog === true
  if (exists && changelog!.errorCode === 0 && found !== source.partitions.length && !isExtended) {
    const extend = `if ${sourceTopic} was extended, extend ${changelogTopic} too (kafka-topics --alter --partitions ${source.partitions.length}); else `
    faults.push(
      `source ${sourceTopic} has ${counted(source.partitions.length, 'partition')}, changelog ${changelogTopic} has ${found}: ` +
        `they must be equal; ${isShort ? extend : ''}choose another CHANGELOG_TOPIC, or delete ${changelogTopic} and it is created again from the source`,
    )
  }
  if (faults.length > 0) throw unfit(faults)

  const sourceConfig = await client.retryForever(() => describeTopic(client, sourceTopic))
  const changelogConfig = exists ? await client.retryForever(() => describeTopic(client, changelogTopic)) : undefined
  const missingChangelog = exists ? undefined : newChangelog(source, sourceConfig)
  const deadLetters =
    deadLetterMetadata && (await inspectDeadLetters(client, deadLetterMetadata, source, maxMessageBytes(sourceConfig)))
  const warnings = exists
    ? warningsAbout(changelog!, source.partitions[0]?.replicas ?? 1, sourceConfig, changelogConfig)
    : []
  return {
    partitionCount: source.partitions.length,
    limits: limitsOf(missingChangelog ? new Map(Object.entries(missingChangelog.config)) : changelogConfig),
    warnings: [...warnings, ...topicIdWarnings(source), ...(deadLetters?.warnings ?? [])],
    extends: isExtended,
    missingChangelog,
    deadLetters,
  }
}

/** Inspects the changelog for replicas only: they consume no source and write nothing. */
async function inspectChangelog(client: KafkaClient, config: StoreConfig): Promise<Topology> {
  const { changelogTopic } = config
  const changelog = await findTopic(client, changelogTopic)
  if (changelog === undefined) {
    const advice = 'start the instance that writes it first, or correct STORE_ID, CHANGELOG_TOPIC or KAFKA_BROKERS'
    throw unfit([`changelog topic ${changelogTopic} does not exist on ${brokerList(config)}: ${advice}`])
  }
  const faults = accessFault(changelog)
  if (faults.length > 0) throw unfit(faults)
  return {
    partitionCount: changelog.partitions.length,
    limits: limitsOf(undefined),
    warnings: [],
    extends: false,
    missingChangelog: undefined,
    deadLetters: undefined,
  }
}

/** Creates what is missing: the changelog, its further partitions, the dead-letter topic. */
export async function completeTopics(client: KafkaClient, config: StoreConfig, topology: Topology): Promise<void> {
  const log = loggerOf('store')
  for (const warning of topology.warnings) log.warn('{warning}', { warning })
  const { missingChangelog, partitionCount } = topology
  const { changelogTopic } = config
  if (topology.extends) {
    await client.retryForever(() => extendTopic(client, changelogTopic, partitionCount))
    log.info(`Extended changelog topic {changelogTopic} to {partitionCount} ${nounFor(partitionCount, 'partition')}`, {
      changelogTopic,
      partitionCount,
    })
    await untilKnown(client, changelogTopic, partitionCount)
  }
  await createDeadLetters(client, topology.deadLetters)
  if (missingChangelog === undefined) return
  await createDurable(client, { topic: changelogTopic, ...missingChangelog })
  const { partitions } = missingChangelog
  const noun = nounFor(partitions, 'partition')
  log.info(`Created changelog topic {changelogTopic} with {partitions} ${noun}, compacted`, {
    changelogTopic,
    partitions,
  })
  await untilKnown(client, changelogTopic, missingChangelog.partitions)
}

async function createDeadLetters(client: KafkaClient, topology: DeadLetterTopology | undefined): Promise<void> {
  if (topology?.missing === undefined) return
  const { missing, name, partitions } = topology
  await createDurable(client, missing)
  loggerOf('store').info(`Created dead-letter topic {name} with {partitions} ${nounFor(partitions, 'partition')}`, {
    name,
    partitions,
  })
  await untilKnown(client, name, partitions)
}

/** Resolves when the brokers know a topic with at least so many partitions: it may grow meanwhile. */
async function untilKnown(client: KafkaClient, topic: string, partitions: number): Promise<void> {
  await client.retryForever(async () => {
    const found = await findTopic(client, topic)
    if (found !== undefined && found.partitions.length >= partitions) return
    throw new LatchkeyError('broker_error', `Waiting for topic ${topic}: the brokers do not know all of it yet`)
  })
}

async function findTopic(client: KafkaClient, topic: string): Promise<TopicMetadata | undefined> {
  const until = Date.now() + patienceMs
  for (;;) {
    const [found] = await client.metadata([topic])
    if (found!.errorCode !== unknownTopic) return found
    if (Date.now() > until) return undefined
    await sleep(200, client.signal)
  }
}

function accessFault({ topic, errorCode }: TopicMetadata): string[] {
  if (errorCode === 0 || errorCode === unknownTopic || isNotAvailable(errorCode)) return []
  const name = errorName(errorCode)
  if (isAuthorizationFailure(errorCode)) {
    return [`topic ${topic}: this user may not describe it (${name}); allow DESCRIBE on it`]
  }
  return [`topic ${topic}: the broker answered ${name}`]
}

function unfit(faults: string[]): LatchkeyError {
  return new LatchkeyError('topics_unfit', `Looking at the topics: ${faults.join('; ')}`, { details: { faults } })
}

function brokerList(config: StoreConfig): string {
  return config.kafkaBrokers.map(({ host, port }) => `${host}:${port}`).join(',')
}
