/**
 * The Kafka clients of a store: each has connections of its own, since a broker answers the requests of one connection in turn. So a Fetch
 * that waits never holds up a Produce, a commit or recovery.
 */
import { defaultClients } from '../config/client-properties.ts'
import { requireReachable } from '../kafka/connection/reachable.ts'
import { KafkaClient } from '../kafka/client.ts'
import { type ClientName, type ClientsConfig, type FetchConfig } from '../store-protocol/client-config.ts'
import { type PartitionTrouble } from '../store-protocol/status.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'

export interface Clients {
  /** Reads the source topic and commits offsets. */
  consumer: KafkaClient
  /** Writes the changelog. */
  producer: KafkaClient
  /** Reads the changelog in recovery. */
  changelog: KafkaClient
  /** Reads the changelog for replicas. */
  replicas: KafkaClient
  /** Writes to the dead-letter topic, so that the changelog does not wait for that. */
  deadLetters: KafkaClient
}

export const clientTitles: Readonly<Record<ClientName, string>> = {
  consumer: 'source consumer',
  producer: 'changelog producer',
  changelog: 'changelog consumer',
}

const defaults = defaultClients()

/** How single records are fetched, whatever the properties say. */
export const plainFetch: FetchConfig = defaults.consumer.fetch

export function clientsConfigOf(config: StoreConfig): ClientsConfig {
  return config.clients ?? defaults
}

/** How the source topic is fetched. */
export function sourceFetch(config: StoreConfig): FetchConfig {
  return clientsConfigOf(config).consumer.fetch
}

export function changelogFetch(config: StoreConfig): FetchConfig {
  return clientsConfigOf(config).changelog.fetch
}

/** The group that offsets are committed under. */
export function groupOf(config: StoreConfig): string {
  return clientsConfigOf(config).consumer.groupId ?? config.storeId
}

/** What the transactional ids of all partitions begin with. */
export function transactionalIdPrefixOf(config: StoreConfig): string {
  return `${clientsConfigOf(config).producer.produce.transactionalIdPrefix ?? `latchkey-${config.storeId}`}-`
}

export function transactionalIdOf(config: StoreConfig, partition: number): string {
  return `${transactionalIdPrefixOf(config)}${partition}`
}

export function createClients(config: StoreConfig): Clients {
  return {
    consumer: createClient(config, 'consumer'),
    producer: createClient(config, 'producer'),
    changelog: createClient(config, 'changelog'),
    replicas: createClient(config, 'changelog'),
    deadLetters: createClient(config, 'producer', 'dead-letter producer'),
  }
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

/** What the clients have trouble with; undefined while all is well. */
export function troubleOf(clients: Clients): string | undefined {
  const troubles = new Set(Object.values(clients).map((client: KafkaClient) => client.health.trouble))
  return [...troubles].filter((trouble) => trouble !== undefined).join(' · ') || undefined
}

/** @throws LatchkeyError broker_unreachable where a client has no address that takes connections */
export async function requireBrokers(config: StoreConfig): Promise<void> {
  const { consumer, producer, changelog } = clientsConfigOf(config)
  for (const { connection } of [consumer, producer, changelog]) {
    const { brokers, family } = connection
    const setting = brokers === undefined ? 'KAFKA_BROKERS' : 'bootstrap.servers'
    await requireReachable(brokers ?? config.kafkaBrokers, setting, { family })
  }
}

/** What was found last where the clients try no more; undefined where nothing was. */
export function lastFoundOf(clients: Clients): string | undefined {
  const found = new Set(Object.values(clients).map((client: KafkaClient) => client.health.lastFound))
  return [...found].filter((one) => one !== undefined).join(' · ') || undefined
}

/** What they do not get done for partitions of source and changelog, which have the same numbers. */
export function partitionTroublesOf({ consumer, producer, changelog, replicas }: Clients): PartitionTrouble[] {
  return [consumer, producer, changelog, replicas].flatMap((client) => client.health.partitionTroubles)
}

export function closeClients(clients: Clients): void {
  for (const client of Object.values(clients) as KafkaClient[]) client.close()
}
