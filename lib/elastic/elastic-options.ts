/** What an instance of a group needs, and what it says. */
import type { LatchkeyError } from '../errors.ts'
import type { ToGroupThread } from '../store-protocol/group-messages.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import type { ReachedState } from './group-status-of.ts'

export interface ElasticOptions {
  /** Of the store, with `elastic.notice`. */
  config: StoreConfig
  logging: StoreLogging
  /** Name of the group, as the coordinator has it. */
  name: string
  standbys: number
  routing: 'proxy' | 'none'
}

export interface ElasticEvents {
  /** For every thread that reads the store, this one included. */
  report: (report: GroupReport) => void
  failed: (error: LatchkeyError) => void
  /** Whether this instance reaches the other members, by member id. */
  peers: () => ReadonlyMap<string, ReachedState>
}

/** What everything but the store has for the group thread. */
export type PassedToGroup = Extract<ToGroupThread, { type: 'reached' | 'suspect' | 'token' | 'log-level' }>
