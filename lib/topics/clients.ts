/**
 * The Kafka clients of a store. A broker answers the requests of one connection in order, so each client has its own
 * connections: a Fetch that waits never delays a Produce, a commit or recovery.
 */
import { defaultClients } from '../config/client-properties.ts'
import { KafkaClient } from '../kafka/client.ts'
import { requireReachable } from '../kafka/connection/reachable.ts'
import { type CommittingMember, setCommittingMember } from '../kafka/offsets.ts'
import { type ClientName, type ClientsConfig, clientTitles, type FetchConfig } from '../store-protocol/client-config.ts'
import type { PartitionTrouble } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'

export interface Clients {
  /** Reads the source topic and commits offsets. */
  consumer: KafkaClient
  /** Asks about the source and the commits while `consumer` waits for records. */
  source: KafkaClient
  /** Writes the changelog. */
  producer: KafkaClient
  /** Reads the changelog during recovery. */
  changelog: KafkaClient
  /** Reads the changelog for replicas. */
  replicas: KafkaClient
  /** Writes to the dead-letter topic. A separate client, so that the changelog does not wait for it. */
  deadLetters: KafkaClient
}

const defaults = defaultClients()

/** Fetch configuration for single records, independent of the client properties. */
export const plainFetch: FetchConfig = defaults.consumer.fetch

export function clientsConfigOf(config: StoreConfig): ClientsConfig {
  return config.clients ?? defaults
}

/** Fetch configuration of the source topic. */
export function sourceFetch(config: StoreConfig): FetchConfig {
  return clientsConfigOf(config).consumer.fetch
}

export function changelogFetch(config: StoreConfig): FetchConfig {
  return clientsConfigOf(config).changelog.fetch
}

/** Returns the consumer group under which offsets are committed. */
export function groupOf(config: StoreConfig): string {
  return clientsConfigOf(config).consumer.groupId ?? config.storeId
}

/** Returns the common prefix of the transactional ids of all partitions. */
export function transactionalIdPrefixOf(config: StoreConfig): string {
  return `${clientsConfigOf(config).producer.produce.transactionalIdPrefix ?? `latchkey-${config.storeId}`}-`
}

export function transactionalIdOf(config: StoreConfig, partition: number): string {
  return `${transactionalIdPrefixOf(config)}${partition}`
}

export function createClients(config: StoreConfig): Clients {
  const clients = {
    consumer: createClient(config, 'consumer'),
    source: createClient(config, 'consumer'),
    producer: createClient(config, 'producer'),
    changelog: createClient(config, 'changelog'),
    replicas: createClient(config, 'changelog'),
    deadLetters: createClient(config, 'producer', 'dead-letter producer'),
  }
  if (config.elastic !== undefined) commitAs(clients, undefined)
  return clients
}

/** Commits are those of a member of the group from now on. @param member undefined while the group does not have it */
export function commitAs({ consumer, source }: Clients, member: CommittingMember | undefined): void {
  for (const client of [consumer, source]) setCommittingMember(client, member)
}

/** Creates the client for the membership in a group. */
export function createGroupClient(config: StoreConfig): KafkaClient {
  return createClient(config, 'consumer', 'group membership')
}

function createClient(config: StoreConfig, name: ClientName, subject = clientTitles[name]): KafkaClient {
  const client = clientsConfigOf(config)[name]
  const { brokers, clientId, retryBackoffMs, retryBackoffMaxMs, ...connection } = client.connection
  return new KafkaClient({
    ...connection,
    subject,
    brokers: brokers ?? config.kafkaBrokers,
    clientId: clientId ?? `latchkey-${config.storeId}`,
    retryBackoff: { firstMs: retryBackoffMs, maxMs: retryBackoffMaxMs },
    ...('fetch' in client ? { isolation: client.fetch.isolation } : {}),
  })
}

/** Returns the current problems of the clients; undefined without problems. */
export function troubleOf(clients: Clients): string | undefined {
  const troubles = new Set(Object.values(clients).map((client: KafkaClient) => client.health.trouble))
  return [...troubles].filter((trouble) => trouble !== undefined).join(' · ') || undefined
}

/** @throws LatchkeyError broker_unreachable if a client has no address where a broker may be */
export async function requireBrokers(config: StoreConfig): Promise<void> {
  const { consumer, producer, changelog } = clientsConfigOf(config)
  for (const { connection } of [consumer, producer, changelog]) {
    const { brokers, family, tls } = connection
    const setting = brokers === undefined ? 'KAFKA_BROKERS' : 'bootstrap.servers'
    await requireReachable(brokers ?? config.kafkaBrokers, setting, { family, tls })
  }
}

/** Returns the last errors of operations that are not retried any more; undefined if there are none. */
export function lastFoundOf(clients: Clients): string | undefined {
  const found = new Set(Object.values(clients).map((client: KafkaClient) => client.health.lastFound))
  return [...found].filter((one) => one !== undefined).join(' · ') || undefined
}

/** Returns the clients' problems with partitions of source and changelog, which have the same numbers. */
export function partitionTroublesOf({ consumer, producer, changelog, replicas }: Clients): PartitionTrouble[] {
  return [consumer, producer, changelog, replicas].flatMap((client) => client.health.partitionTroubles)
}

/** Returns the id of the changelog topic; undefined if the brokers know no ids. The check of the topics has asked for it. */
export function changelogIdOf(clients: Clients, { changelogTopic }: StoreConfig): string | undefined {
  const { producer, replicas, consumer } = clients
  return [producer, replicas, consumer].map(({ topics }) => topics.id(changelogTopic)).find((id) => id !== undefined)
}

export function closeClients(clients: Clients): void {
  for (const client of Object.values(clients) as KafkaClient[]) client.close()
}
