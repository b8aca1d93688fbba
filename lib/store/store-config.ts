/** What a store needs to know: the slice of the settings that concerns it. */
export interface StoreConfig {
  readonly storeId: string
  readonly sourceTopic: string
  readonly changelogTopic: string
  /** Seeds of the cluster. */
  readonly kafkaBrokers: readonly { host: string; port: number }[]
  /** Entries to have room for from the start, over all partitions. */
  readonly initialCapacity: number
  /** Operations after which they are made visible. */
  readonly autoFlushCount: number
  /** Seconds after which operations are made visible, however few. */
  readonly autoFlushSeconds: number
  /** Lookups that may read at the same time. */
  readonly readerPoolSize: number
  readonly readyWhen: 'caught-up' | 'recovered'
  readonly fencing: boolean
}
