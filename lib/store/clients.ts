/**
 * The Kafka clients of a store: each has connections of its own, since a broker answers the requests of one connection in turn. So a Fetch
 * that waits never holds up a Produce, a commit or recovery.
 */
import { KafkaClient } from '../kafka/client.ts'
import { type StoreConfig } from './store-config.ts'

export interface Clients {
  /** Reads the source topic and commits offsets. */
  consumer: KafkaClient
  /** Writes the changelog. */
  producer: KafkaClient
  /** Reads the changelog in recovery. */
  changelog: KafkaClient
  /** Reads the changelog for replicas. */
  replicas: KafkaClient
}

const connectionTimeoutMs = 10_000
const requestTimeoutMs = 30_000

export function createClients(config: StoreConfig): Clients {
  const client = (subject: string) =>
    new KafkaClient({
      subject,
      brokers: config.kafkaBrokers,
      clientId: `latchkey-${config.storeId}`,
      connectionTimeoutMs,
      requestTimeoutMs,
    })
  return {
    consumer: client('source consumer'),
    producer: client('changelog producer'),
    changelog: client('changelog consumer'),
    replicas: client('changelog consumer'),
  }
}

/** What the clients have trouble with; undefined while all is well. */
export function troubleOf(clients: Clients): string | undefined {
  const troubles = new Set(Object.values(clients).map((client: KafkaClient) => client.health.trouble))
  return [...troubles].filter((trouble) => trouble !== undefined).join(' · ') || undefined
}

export function closeClients(clients: Clients): void {
  for (const client of Object.values(clients) as KafkaClient[]) client.close()
}
