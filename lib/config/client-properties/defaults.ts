/**
 * All values that the properties of one client can set, with their defaults.
 * test/bench decided the sizes: larger ones gain nothing and stay resident.
 */
import type {
  ClientName,
  ClientsConfig,
  ConnectionConfig,
  FetchConfig,
  ProduceConfig,
  SaslConfig,
  TlsConfig,
} from '../../store-protocol/client-config.ts'

type Mutable<Type> = { -readonly [Member in keyof Type]: Type[Member] }

export type SecurityProtocol = 'plaintext' | 'ssl' | 'sasl_plaintext' | 'sasl_ssl'

export interface SecurityDefaults {
  securityProtocol: SecurityProtocol
  saslMechanism: SaslConfig['mechanism'] | undefined
  saslUsername: string | undefined
  saslPassword: string | undefined
  caLocation: string | undefined
  caPem: string | undefined
  certificateLocation: string | undefined
  certificatePem: string | undefined
  keyLocation: string | undefined
  keyPem: string | undefined
  keyPassword: string | undefined
  /** TLS options that are passed on unchanged. */
  tls: Mutable<TlsConfig>
}

export interface ClientDefaults {
  connection: Mutable<Omit<ConnectionConfig, 'tls' | 'sasl'>>
  security: SecurityDefaults
  source: Mutable<Omit<ClientsConfig['consumer'], 'connection' | 'fetch'>>
  fetch: Mutable<FetchConfig>
  produce: Mutable<ProduceConfig>
}

export function defaultProperties(client: ClientName): ClientDefaults {
  return {
    connection: {
      brokers: undefined,
      clientId: undefined,
      connectionTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      metadataMaxAgeMs: 300_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 5_000,
      retriesMax: Number.POSITIVE_INFINITY,
      inFlightMax: null,
      // The largest request, and so the largest batch, that a broker accepts by default, with some room.
      receiveBytesMax: 110_000_000,
      keepAlive: true,
      noDelay: true,
      family: 0,
    },
    security: {
      securityProtocol: 'plaintext',
      saslMechanism: undefined,
      saslUsername: undefined,
      saslPassword: undefined,
      caLocation: undefined,
      caPem: undefined,
      certificateLocation: undefined,
      certificatePem: undefined,
      keyLocation: undefined,
      keyPem: undefined,
      keyPassword: undefined,
      tls: { verifiesCertificate: true, verifiesHostName: true },
    },
    source: {
      groupId: undefined,
      commitIntervalMs: 1_000,
      offsetReset: 'earliest',
      // Brokers allow no less by default. A false alarm costs a warm handover and no lookup.
      sessionTimeoutMs: 6_000,
      heartbeatMs: 500,
    },
    fetch: {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 8 << 20,
      partitionMaxBytes: client === 'changelog' ? 2 << 20 : 1 << 20,
      isolation: 'read_committed',
      rack: '',
      checkCrcs: true,
    },
    produce: {
      acks: -1,
      timeoutMs: 30_000,
      messageBytesMax: null,
      lingerMs: 0,
      batchBytes: 1 << 20,
      batchRecordsMax: Number.POSITIVE_INFINITY,
      compression: 0,
      compressionLevel: null,
      isIdempotent: true,
      transactionalIdPrefix: undefined,
      transactionTimeoutMs: 30_000,
    },
  }
}
