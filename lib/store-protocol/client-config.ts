/**
 * Configuration of the three Kafka clients of a store, from the client properties. Plain data, so that it can be sent
 * to the store thread.
 */

export type ClientName = 'consumer' | 'producer' | 'changelog'

/** Names of the clients in messages. */
export const clientTitles: Readonly<Record<ClientName, string>> = {
  consumer: 'source consumer',
  producer: 'changelog producer',
  changelog: 'changelog consumer',
}

export interface TlsConfig {
  /** PEM of the trusted certificates; undefined for those of the system. */
  readonly ca?: readonly string[]
  /** PEM of the client certificate and its chain. */
  readonly cert?: string
  /** PEM of its key, decrypted. */
  readonly key?: string
  readonly ciphers?: string
  readonly ecdhCurve?: string
  readonly sigalgs?: string
  readonly verifiesCertificate: boolean
  readonly verifiesHostName: boolean
}

export interface SaslConfig {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

export interface BrokerAddress {
  /** Name, IPv4 or IPv6 address, the latter without brackets. */
  host: string
  port: number
}

export interface ConnectionConfig {
  /** Bootstrap servers of this client; undefined for those of the store. */
  readonly brokers: readonly BrokerAddress[] | undefined
  /** Undefined for a name derived from the store. */
  readonly clientId: string | undefined
  readonly connectionTimeoutMs: number
  readonly requestTimeoutMs: number
  /** Maximum age of metadata about leaders; 0 for no maximum. */
  readonly metadataMaxAgeMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  /** Consecutive failures of one operation after which the store fails; Infinity for no maximum. */
  readonly retriesMax: number
  /** Maximum number of unanswered requests on one connection; null for no maximum. */
  readonly inFlightMax: number | null
  /** Maximum size of a response. */
  readonly receiveBytesMax: number
  readonly keepAlive: boolean
  readonly noDelay: boolean
  /** IP version of addresses; 0 for any. */
  readonly family: 0 | 4 | 6
  readonly tls: TlsConfig | null
  readonly sasl: SaslConfig | null
}

export type Isolation = 'read_committed' | 'read_uncommitted'
export type OffsetReset = 'earliest' | 'latest' | 'error'

export interface FetchConfig {
  /** Maximum time that the broker may wait for minBytes. */
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Maximum size of the whole response. A larger first batch is still returned. */
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  readonly isolation: Isolation
  /** Rack of this client: brokers may name a nearer replica to fetch from. */
  readonly rack: string
  readonly checkCrcs: boolean
}

export interface ProduceConfig {
  /** -1 for all in-sync replicas. */
  readonly acks: -1 | 1
  /** Maximum time that the broker may wait for the replicas. */
  readonly timeoutMs: number
  /** Maximum size of an uncompressed record batch; null for what the changelog topic accepts. */
  readonly messageBytesMax: number | null
  /** Maximum time that a batch waits for more records. */
  readonly lingerMs: number
  /** Size at which a batch is complete. */
  readonly batchBytes: number
  readonly batchRecordsMax: number
  readonly compression: 0 | 1 | 2 | 3 | 4
  /** Null for the codec's default. */
  readonly compressionLevel: number | null
  /** The broker drops a batch that it gets again. */
  readonly isIdempotent: boolean
  /** Transactional ids are this prefix, a hyphen and the partition; undefined for a prefix derived from the store. */
  readonly transactionalIdPrefix: string | undefined
  readonly transactionTimeoutMs: number
}

export interface ClientsConfig {
  readonly consumer: {
    readonly connection: ConnectionConfig
    readonly fetch: FetchConfig
    /** Undefined for a name derived from the store. */
    readonly groupId: string | undefined
    readonly commitIntervalMs: number
    readonly offsetReset: OffsetReset
    /** Of a group that assigns partitions: time without a heartbeat after which an instance counts as dead. */
    readonly sessionTimeoutMs: number
    readonly heartbeatMs: number
  }
  readonly producer: { readonly connection: ConnectionConfig; readonly produce: ProduceConfig }
  readonly changelog: { readonly connection: ConnectionConfig; readonly fetch: FetchConfig }
}
