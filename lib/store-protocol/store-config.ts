import { type FormatsConfig } from '../format/formats-config.ts'
import { type BrokerAddress, type ClientsConfig } from './client-config.ts'

/** What a store needs to know: the slice of the settings that concerns it. */
export interface StoreConfig {
  readonly storeId: string
  /** Empty where there is none: with useReplicaOnly. */
  readonly sourceTopic: string
  readonly changelogTopic: string
  /** Seeds of the cluster. */
  readonly kafkaBrokers: readonly BrokerAddress[]
  /** What the Kafka clients are told; absent for their defaults. */
  readonly clients?: ClientsConfig
  /** Partitions to consume and write; empty for all. */
  readonly partitions: readonly number[]
  /** Partitions to copy from the changelog; empty for none, with useReplicaOnly for all. */
  readonly partitionsReplica: readonly number[]
  /** The changelog may have fewer partitions than the source, which has grown: it is extended. */
  readonly extendsChangelog?: boolean
  /** Only copies: no source, no group, nothing written. */
  readonly useReplicaOnly: boolean
  readonly waitForReplicas: boolean
  /** Source to changelog only: nothing in memory. */
  readonly useProcessingOnly: boolean
  /** How producers choose a key's partition: tells a miss from a key that is held elsewhere. */
  readonly partitioner: 'murmur2' | 'crc32' | 'none'
  /** Store threads, each with its share of the partitions; 1 where absent. */
  readonly storeThreads?: number
  /** Threads that read the store's memory, the one that opens it included; 1 where absent. */
  readonly readerThreads?: number
  /** The part of all that one of several store threads takes: by turns, `index` of `count`. Set by the store itself. */
  readonly share?: { readonly index: number; readonly count: number }
  /** Entries to have room for from the start, over all partitions. */
  readonly initialCapacity: number
  /** Operations after which they are made visible. */
  readonly autoFlushCount: number
  /** Seconds after which operations are made visible, however few. */
  readonly autoFlushSeconds: number
  /** Operations become visible within milliseconds while fewer come than autoFlushCount; false where absent. */
  readonly autoFlushWhenIdle?: boolean
  /** Lookups that may read at the same time. */
  readonly readerPoolSize: number
  readonly readyWhen: 'caught-up' | 'recovered'
  readonly fencing: boolean
  /** Formats of keys and values; absent: bytes pass through as they are. */
  readonly formats?: FormatsConfig
  /** URL of the module whose default export defines keys, values and what happens to them; counts instead of `formats`. */
  readonly module?: string
  /** What becomes of a source record that cannot be stored; `skip` where absent. */
  readonly onBadRecord?: 'skip' | 'stop' | 'dead-letter'
  /** Where such records go, with `dead-letter`. */
  readonly deadLetterTopic?: string | undefined
  /** Names of source headers to keep, a trailing `*` matching any end; none where absent. */
  readonly keepHeaders?: readonly string[]
  /** Discard what the changelog has and read the source from its start. */
  readonly rebuild?: boolean
}
