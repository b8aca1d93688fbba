/** Messages between the main thread and the group thread. */
import type { GroupFigures } from '../group-protocol/group-figures.ts'
import type { GroupView } from '../group-protocol/group-view.ts'
import type { LogLevel, LogRecord } from '../log/index.ts'
import type { StoreConfig } from './store-config.ts'
import type { PlainError, StoreLogging } from './thread-messages.ts'

export interface GroupConfig {
  /** Topics, and configuration of the Kafka clients. `elastic.notice` is given. */
  store: StoreConfig
  /** Identity of this life of the instance, at most 32 characters. */
  id: string
  /** Where others reach this instance. */
  place: AdvertisedPlace
  /** SERVER_TOKEN, with which members sign. */
  token: string | undefined
  standbys: number
  /** Only to be compared with that of the others. */
  routing: 'proxy' | 'none'
}

/** Where others reach an instance. */
export interface AdvertisedPlace {
  /** Undefined if it is the local address of the connection to the coordinator. */
  url: string | undefined
  scheme: 'http' | 'https'
  port: number
}

export type ToGroupThread =
  | { type: 'start'; config: GroupConfig; logging: StoreLogging }
  /** A store thread has laid out its memory: what it holds is read there. It may be the one of new partitions. */
  | { type: 'store'; stats: SharedArrayBuffer; layout: number[]; partitionCount: number }
  /** Whether the other members reach this instance at its URL. */
  | { type: 'reachable'; isReachable: boolean }
  /** A member has answered at a URL, and said that it is this one. */
  | { type: 'reached'; memberId: string; url: string }
  /** A member refuses connections: its process is dead, or its listener. */
  | { type: 'suspect'; memberId: string }
  /** The store claims what the plan of this generation gives to it, and nothing else. */
  | { type: 'agreed'; generation: number }
  /** Hands over what this instance holds, within a bound, and leaves. */
  | { type: 'leave'; handoverSeconds: number }
  /** SERVER_TOKEN was replaced. */
  | { type: 'token'; token: string }
  | { type: 'log-level'; level: LogLevel }

export type FromGroupThread =
  /** The URL of this instance. */
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
      figures: GroupFigures
    }
  /** The plan of the present generation cannot be read, and why. The last one stays in force. */
  | { type: 'unread'; reason: string; isOdd: boolean }
  /** A new plan is asked for: the present one counts until it comes. */
  | { type: 'joining' }
  /** The coordinator has removed this instance: others may take what it holds. */
  | { type: 'removed' }
  /** This instance has left so that another one leads, and joins again. It holds what it had until the next plan. */
  | { type: 'resigned' }
  /** Why no plan comes at the moment; null if there is no reason. */
  | { type: 'trouble'; trouble: string | null }
  | { type: 'left' }
  | { type: 'log'; record: LogRecord }
  | { type: 'failed'; error: PlainError }
