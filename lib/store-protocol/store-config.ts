import { join } from 'node:path'
import type { FormatsConfig } from '../format/formats-config.ts'
import type { BrokerAddress, ClientsConfig } from './client-config.ts'

/** Configuration of a store: the slice of the settings that concerns it. */
export interface StoreConfig {
  readonly storeId: string
  /** Empty with useReplicaOnly. */
  readonly sourceTopic: string
  readonly changelogTopic: string
  /** Bootstrap servers of the cluster. */
  readonly kafkaBrokers: readonly BrokerAddress[]
  /** Configuration of the Kafka clients; absent for their defaults. */
  readonly clients?: ClientsConfig
  /** Partitions to consume and write; empty for all. */
  readonly partitions: readonly number[]
  /** Partitions to copy from the changelog; empty for none, or with useReplicaOnly for all. */
  readonly partitionsReplica: readonly number[]
  /** Partitions come and go at run time. Without it the store holds the same ones all the time. */
  readonly elastic?: ElasticConfig
  /** The changelog may have fewer partitions than a source that has grown: it is extended. */
  readonly extendsChangelog?: boolean
  /** Replicas only: no source, no consumer group, no writes. */
  readonly useReplicaOnly: boolean
  readonly waitForReplicas: boolean
  /** Source to changelog only: nothing is held in memory. */
  readonly useProcessingOnly: boolean
  /** How producers select a key's partition. Distinguishes a missing key from a key that another instance holds. */
  readonly partitioner: 'murmur2' | 'crc32' | 'none'
  /** Number of store threads, each with its share of the partitions; 1 if absent. */
  readonly storeThreads?: number
  /** Number of threads that read the store's memory, including the one that opens it; 1 if absent. */
  readonly readerThreads?: number
  /** The share of one of several store threads: every `count`-th partition from `index` on. Set by the store itself. */
  readonly share?: { readonly index: number; readonly count: number }
  /** Initial capacity in entries, over all partitions. */
  readonly initialCapacity: number
  /** Memory in bytes that the process may take; no bound if absent. */
  readonly memoryMax?: number
  /** The account of it, which all store threads share: see MemoryLedger. Set by the store itself. */
  readonly memoryLedger?: SharedArrayBuffer
  /** Whether the process stops soon: see ShutdownNotice. It never does if absent. */
  readonly shutdownNotice?: SharedArrayBuffer
  /** Number of operations after which they are made visible. */
  readonly autoFlushCount: number
  /** Time in seconds after which operations are made visible, independent of their number. */
  readonly autoFlushSeconds: number
  /** Operations become visible within milliseconds while fewer than autoFlushCount arrive; false if absent. */
  readonly autoFlushWhenIdle?: boolean
  /** Memory, over all store threads, for the keys that changed last; 16 MiB if absent. */
  readonly changesBytes?: number
  /** Maximum number of lookups that read at the same time. */
  readonly readerPoolSize: number
  readonly readyWhen: 'caught-up' | 'recovered'
  readonly fencing: boolean
  /** Formats of keys and values; absent for raw bytes. */
  readonly formats?: FormatsConfig
  /**
   * URL of the module whose default export defines keys, values and their conversion. Takes precedence over `formats`.
   */
  readonly module?: string
  /** What to do with a source record that cannot be stored; `skip` if absent. */
  readonly onBadRecord?: 'skip' | 'stop' | 'dead-letter'
  /** Topic for such records, with `dead-letter`. */
  readonly deadLetterTopic?: string | undefined
  /** Names of source headers to keep; a trailing `*` matches any end; none if absent. */
  readonly keepHeaders?: readonly string[]
  /** Directory for snapshots, which has a folder for each store; absent for none. */
  readonly snapshotDir?: string | undefined
  /** Time in seconds after a snapshot at which the next is taken; 60 if absent. */
  readonly snapshotSeconds?: number
  /** Whether this process has the lock of the store's snapshots. Set by the store itself. */
  readonly isSnapshotsLocked?: boolean
  /** Discard the content of the changelog and read the source from its start. */
  readonly rebuild?: boolean
}

/** `partitions` and `partitionsReplica` are what is held at first; none if empty. */
export interface ElasticConfig {
  /** Time for which a partition still answers that is not wanted any more; 5,000 if absent. */
  readonly lingerMs?: number
  /** Of the group that assigns the partitions: see GroupNotice. Without it a wish is all that counts. */
  readonly notice?: SharedArrayBuffer
  /** First partition that a store thread may hold, which has those that the topic got later. Set by the store itself. */
  readonly from?: number
}

/** Whether a group assigns the partitions. Without one, a program says which come and go. */
export function isInGroup({ elastic }: Pick<StoreConfig, 'elastic'>): boolean {
  return elastic?.notice !== undefined
}

/** Returns the folder for the snapshots of a store; undefined without snapshots. */
export function snapshotPathOf({ snapshotDir, storeId, useProcessingOnly }: StoreConfig): string | undefined {
  return snapshotDir === undefined || useProcessingOnly ? undefined : join(snapshotDir, storeId)
}
