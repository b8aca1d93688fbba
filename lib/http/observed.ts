/** What is known of a store besides its content: metrics, counters of lookups, and facts of the process. */
import { hostname } from 'node:os'
import {
  createMetrics,
  LookupStats,
  type Metrics,
  type ProcessFacts,
  processFacts,
  type RespStats,
} from '../metrics/index.ts'
import type { ShownSetting } from './status-events/status-event.ts'
import type { StoreView } from './store-view.ts'

/** Shared by all servers of the store in a thread. */
export interface Observed {
  readonly metrics: Metrics
  readonly lookupStats: LookupStats
  /** Absent in an embedding program, which does not serve the Redis protocol. */
  readonly respStats?: RespStats | undefined
  readonly facts: InstanceFacts
}

export interface InstanceFacts extends ProcessFacts {
  /** Host name. */
  readonly instance: string
  /** Null if the Redis protocol is not served. */
  readonly respPort: number | null
  /** Those in effect, which a reload replaces. None in an embedding program. */
  settings: readonly ShownSetting[]
}

/** To be called in the main thread. */
export function factsOf(version: string): InstanceFacts {
  return { ...processFacts(version), instance: hostname(), respPort: null, settings: [] }
}

/** @param version for the build_info metric and the status */
export function observe(store: StoreView, version: string): Observed {
  const lookupStats = new LookupStats()
  const facts = factsOf(version)
  return { metrics: createMetrics(store, lookupStats, facts), lookupStats, facts }
}
