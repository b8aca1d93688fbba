/** Messages between the main thread and the group thread. */
import type { GroupView } from '../group-protocol/group-view.ts'
import type { LogLevel, LogRecord } from '../log/index.ts'
import type { StoreConfig } from './store-config.ts'
import type { PlainError, StoreLogging } from './thread-messages.ts'

export interface GroupConfig {
  /** Of the Kafka clients and topics. */
  store: StoreConfig
  /** Name of the group. */
  name: string
  /** Identity of this life of the instance, at most 32 characters. */
  id: string
  /** Where others reach this instance; undefined if it is the local address of the connection to the coordinator. */
  url: string | undefined
  /** Of that address, then. */
  scheme: 'http' | 'https'
  port: number
  rack: string
  /** SERVER_TOKEN, with which members sign. */
  token: string | undefined
  standbys: number
  sessionTimeoutMs: number
  heartbeatMs: number
  /** Text of each setting that matters to others, by name. */
  settings: Readonly<Record<string, string>>
  /** Bytes of memory for copies. Infinity if it has no bound. */
  roomBytes: number
  /** See GroupNotice. */
  notice: SharedArrayBuffer
}

export type ToGroupThread =
  | { type: 'start'; config: GroupConfig; logging: StoreLogging }
  /** A store thread has laid out its memory: its holdings are read there. */
  | { type: 'store'; stats: SharedArrayBuffer; layout: number[]; partitionCount: number }
  /** Something that is reported has changed: the group may go further. */
  | { type: 'changed' }
  /** Whether the other members reach this instance at its URL. */
  | { type: 'reachable'; isReachable: boolean; reason?: string }
  /** A peer refuses connections: its process is dead, or its listener. */
  | { type: 'suspect'; memberId: string }
  /** Hands over what this instance holds, within a bound, and leaves. */
  | { type: 'leave'; handoverSeconds: number }
  | { type: 'log-level'; level: LogLevel }

export type FromGroupThread =
  /** The present URL of this instance. */
  | { type: 'url'; url: string }
  | {
      type: 'plan'
      view: GroupView
      isLeader: boolean
      protocol: string
      /** Why this instance gets nothing. */
      excludedReason?: string
      /** Names of settings that may differ between members, and do. Only the leader knows them. */
      differing: readonly string[]
    }
  /** A new plan is asked for: the present one counts until it comes. */
  | { type: 'joining' }
  /** The coordinator has removed this instance: others may take what it holds. */
  | { type: 'removed' }
  /** Why no plan comes at the moment; null if it does. */
  | { type: 'trouble'; trouble: string | null }
  | { type: 'left' }
  | { type: 'log'; record: LogRecord }
  | { type: 'failed'; error: PlainError }
