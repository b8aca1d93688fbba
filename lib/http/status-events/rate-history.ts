/**
 * Rates of the last two minutes, once a second. They are kept without clients, too: who opens the page because something has
 * just happened sees it. A sample takes some microseconds.
 */
import { latencyBounds, type LookupStats, type RespStats } from '../../metrics/index.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { Rates } from './status-event.ts'

const samplesMax = 120
const percentile = 0.99

export interface Counted {
  /** Read at each sample, because it may be replaced once the partitions are known. */
  readonly stats: () => StatsView
  readonly lookups: LookupStats
  readonly resp: RespStats | undefined
}

/** Counts since the start. */
interface Counts {
  readonly at: number
  readonly recordsIn: number
  readonly changelogWrites: number
  readonly lookups: number
  readonly cumulative: readonly number[]
}

const none: Rates = { recordsIn: 0, changelogWrites: 0, lookups: 0, p99Ms: null }

export class RateHistory {
  readonly #counted: Counted
  readonly #samples: Rates[] = []
  #before: Counts | undefined

  constructor(counted: Counted) {
    this.#counted = counted
  }

  /** The oldest first. */
  get samples(): readonly Rates[] {
    return this.#samples
  }

  get last(): Rates {
    return this.#samples.at(-1) ?? none
  }

  /** To be called once a second. @param at time in milliseconds */
  sample(at: number = performance.now()): void {
    const before = this.#before
    const now = this.#counts(at)
    this.#before = now
    if (before === undefined || now.at <= before.at) return
    this.#samples.push(ratesOf(before, now))
    if (this.#samples.length > samplesMax) this.#samples.shift()
  }

  #counts(at: number): Counts {
    const { lookups, resp } = this.#counted
    const stats = this.#counted.stats()
    return {
      at,
      recordsIn: stats.count('recordsConsumed') + stats.count('recordsRecovered'),
      changelogWrites: stats.count('changelogRecords'),
      lookups: lookups.allLookups + (resp?.allLookups ?? 0),
      cumulative: lookups.latency().cumulative,
    }
  }
}

function ratesOf(before: Counts, now: Counts): Rates {
  const seconds = (now.at - before.at) / 1000
  const rate = (name: 'recordsIn' | 'changelogWrites' | 'lookups') =>
    Math.max(0, Math.round((now[name] - before[name]) / seconds))
  return {
    recordsIn: rate('recordsIn'),
    changelogWrites: rate('changelogWrites'),
    lookups: rate('lookups'),
    p99Ms: percentileOf(now.cumulative.map((count, bucket) => count - (before.cumulative[bucket] ?? 0))),
  }
}

/** Returns the time in ms, between the bounds of its bucket; null if nothing was observed. */
function percentileOf(cumulative: readonly number[]): number | null {
  const all = cumulative.at(-1) ?? 0
  if (all <= 0) return null
  const rank = all * percentile
  const bucket = cumulative.findIndex((count) => count >= rank)
  const upper = latencyBounds[bucket] ?? latencyBounds.at(-1)!
  const lower = bucket === 0 ? 0 : (latencyBounds[bucket - 1] ?? upper)
  const below = bucket === 0 ? 0 : cumulative[bucket - 1]!
  const share = (rank - below) / (cumulative[bucket]! - below)
  return Math.round(1e6 * (lower + share * (upper - lower))) / 1e3
}
