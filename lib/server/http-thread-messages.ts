/** Messages between the main thread and a further HTTP thread. */
import type { EffectiveSetting } from '../config/index.ts'
import type { TlsPair } from '../config/tls-pair.ts'
import type { InstanceFacts } from '../http/handler.ts'
import type { LogLevel } from '../log/index.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { FromThread, PlainError, StoreLogging, ToThread } from '../store-protocol/thread-messages.ts'
import type { GroupRoutingOptions } from './group-routing.ts'

export interface HttpThreadStart {
  type: 'start'
  /** Number of the thread among those that read the store's memory; the main thread is 0. */
  readerThread: number
  config: StoreConfig
  logging: StoreLogging
  bind: string
  port: number
  token: string | undefined
  hosts: readonly string[] | undefined
  corsOrigins: readonly string[] | undefined
  connectionsMax: number
  tls: TlsPair | undefined
  hasFastPath: boolean | undefined
  /** Port of the Redis protocol; undefined if it is not served. */
  respPort: number | undefined
  /** Counts of the Redis protocol of all threads, by readerThread. */
  respCounts: SharedArrayBuffer[]
  /** For metrics and the page. */
  facts: InstanceFacts
  /** Counters of lookups of all threads, by readerThread. */
  lookupCounts: SharedArrayBuffer[]
  /** Absent without a group. */
  routing: GroupRoutingOptions | undefined
}

export type ToHttpThread =
  | HttpThreadStart
  /** A message of a store thread. Store threads are numbered in the order in which they were opened. */
  | { type: 'store'; thread: number; message: FromThread }
  | { type: 'renew-tls'; pair: TlsPair }
  | { type: 'replace-token'; token: string }
  | { type: 'log-level'; level: LogLevel }
  /** What the group says that assigns the partitions. */
  | { type: 'group'; report: GroupReport }
  | { type: 'settings'; settings: readonly EffectiveSetting[] }
  | { type: 'stop'; drainTimeoutMs: number }

export type FromHttpThread =
  /** The thread listens and has opened the store. It expects the messages that the store threads have sent so far. */
  | { type: 'listening' }
  | { type: 'store'; thread: number; message: ToThread }
  /** What it has found out about another instance of the group. */
  | { type: 'reached'; memberId: string; url: string }
  | { type: 'suspect'; memberId: string }
  | { type: 'failed'; error: PlainError }
  | { type: 'stopped' }
