/** What the three Kafka clients of a store need to know: made from the client properties, plain data, so that it can be sent to the store's thread. */

export type ClientName = 'consumer' | 'producer' | 'changelog'

export interface TlsConfig {
  /** PEM of the certificates to trust; undefined for those of the system. */
  readonly ca?: readonly string[]
  /** PEM of the client certificate and what it leads to. */
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
  /** Seeds of this client alone; undefined for those of the store. */
  readonly brokers: readonly BrokerAddress[] | undefined
  /** undefined: named after the store. */
  readonly clientId: string | undefined
  readonly connectionTimeoutMs: number
  readonly requestTimeoutMs: number
  /** How long what is known of leaders counts without asking; 0 for ever. */
  readonly metadataMaxAgeMs: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  /** Failures of one thing in a row after which the store gives up; Infinity for never. */
  readonly retriesMax: number
  /** Unanswered requests on one connection; null for any number. */
  readonly inFlightMax: number | null
  /** Of a response. */
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
  /** How long the broker may wait for minBytes. */
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Of the whole response; a first batch larger than it still comes. */
  readonly maxBytes: number
  readonly partitionMaxBytes: number
  readonly isolation: Isolation
  /** Where this client stands: brokers may name a nearer replica to fetch from. */
  readonly rack: string
  readonly checkCrcs: boolean
}

export interface ProduceConfig {
  /** -1 for all in-sync replicas. */
  readonly acks: -1 | 1
  /** How long the broker may wait for the replicas. */
  readonly timeoutMs: number
  /** Of a record batch, uncompressed; null for what the changelog topic accepts. */
  readonly messageBytesMax: number | null
  /** How long a batch may wait for more records. */
  readonly lingerMs: number
  /** Size at which a batch is complete. */
  readonly batchBytes: number
  readonly batchRecordsMax: number
  readonly compression: 0 | 1 | 2 | 3 | 4
  /** null for the codec's own default. */
  readonly compressionLevel: number | null
  /** Repeats of a batch are dropped by the broker. */
  readonly isIdempotent: boolean
  /** Transactional ids are this, a hyphen and the partition; undefined: named after the store. */
  readonly transactionalIdPrefix: string | undefined
  readonly transactionTimeoutMs: number
}

export interface ClientsConfig {
  readonly consumer: {
    readonly connection: ConnectionConfig
    readonly fetch: FetchConfig
    /** undefined: named after the store. */
    readonly groupId: string | undefined
    readonly commitIntervalMs: number
    readonly offsetReset: OffsetReset
  }
  readonly producer: { readonly connection: ConnectionConfig; readonly produce: ProduceConfig }
  readonly changelog: { readonly connection: ConnectionConfig; readonly fetch: FetchConfig }
}
