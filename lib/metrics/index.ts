/**
 * The metrics of a store as Prometheus text. This code counts nothing: each scrape reads the counters of the store and
 * the lookups.
 */
import { Registry } from 'prom-client'
import { skippedReasons } from '../store-protocol/skipped.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { CounterName } from '../store-protocol/stats.ts'
import { conditionNames, storeStates, type StoreStatus } from '../store-protocol/status.ts'
import { feedEventKinds, resumeKinds } from './feed-stats.ts'
import { registerGroup } from './group-series.ts'
import { latencyBounds, lookupOutcomes, type LookupStats } from './lookup-stats.ts'
import { registerMemory } from './memory-series.ts'
import { registerPartitionSeries } from './partition-series.ts'
import { registerResp } from './resp-series.ts'
import { RespStats } from './resp-stats.ts'
import { SeriesRegistry } from './series.ts'

export { type FeedEventKind, FeedStats } from './feed-stats.ts'
export { type ForwardResult, ForwardStats } from './forward-stats.ts'
export { outcomeOf, outcomeOfCode } from './lookup-outcome.ts'
export { latencyBounds, type LookupOutcome, LookupStats } from './lookup-stats.ts'
export { RespStats } from './resp-stats.ts'

const prefix = 'latchkey_'

export interface MetricsSource {
  readonly stats: StatsView
  readonly changes: { waiting: number }
  readonly readers: { size: number; inUse: number; waiting: number }
  status(): StoreStatus
}

export interface Metrics {
  readonly contentType: string
  render(): Promise<string>
}

/** Of the process, not of the thread that answers. */
export interface ProcessFacts {
  readonly version: string
  /** In ms since the epoch. */
  readonly startedAt: number
}

/** To be called in the main thread: the clock of another one begins with it. */
export function processFacts(version: string): ProcessFacts {
  return { version, startedAt: Date.now() - process.uptime() * 1000 }
}

/** Name, help and counter of what the store thread counts. */
const storeCounters: readonly (readonly [string, string, CounterName])[] = [
  ['records_consumed_total', 'Source records consumed', 'recordsConsumed'],
  ['consumed_bytes_total', 'Bytes of source record batches consumed', 'bytesConsumed'],
  ['aborted_records_total', 'Source records of aborted transactions, not applied', 'abortedRecords'],
  ['control_batches_total', 'Control batches received', 'controlBatches'],
  ['records_left_out_total', 'Source records for which convert returned skip', 'leftOut'],
  ['timestamps_clamped_total', 'Records whose timestamp the changelog would have refused', 'timestampsClamped'],
  ['headers_omitted_total', 'Headers that KEEP_HEADERS names and that did not fit', 'headersOmitted'],
  ['dead_letters_total', 'Bad records that the dead-letter topic acknowledged', 'deadLetters'],
  ['records_recovered_total', 'Changelog records read back', 'recordsRecovered'],
  ['recovered_bytes_total', 'Bytes of changelog record batches read back', 'bytesRecovered'],
  ['changelog_records_total', 'Records that the changelog acknowledged', 'changelogRecords'],
  ['changelog_bytes_total', 'Bytes that the changelog acknowledged', 'changelogBytes'],
  ['changelog_failures_total', 'Changelog writes that failed and were or will be repeated', 'changelogFailures'],
  ['foreign_writes_total', 'Records in the changelog that this store did not write', 'foreignWrites'],
  ['fetch_failures_total', 'Fetch requests that failed', 'fetchFailures'],
  ['commits_total', 'Offset commits', 'commits'],
  ['commit_failures_total', 'Offset commits that failed', 'commitFailures'],
  ['flushes_total', 'Flushes', 'flushes'],
  ['flush_seconds_total', 'Time spent in flushes', 'flushSeconds'],
  ['operations_published_total', 'Operations that flushes made visible', 'operationsPublished'],
  ['group_promotions_total', 'Partitions whose copy here became the primary', 'promotions'],
  ['group_promotion_seconds_total', 'Time that these took, each by itself', 'promotionSeconds'],
  ['snapshots_total', 'Snapshots written', 'snapshots'],
  ['snapshot_failures_total', 'Snapshots that could not be written', 'snapshotFailures'],
  ['snapshot_written_bytes_total', 'Bytes written for snapshots', 'snapshotBytesWritten'],
]

/**
 * @param source read at each scrape, because its `stats` may be replaced once the partitions are known
 * @param resp of the Redis protocol, also if it is not served: dashboards and alerts find the same names everywhere
 */
export function createMetrics(
  source: MetricsSource,
  lookups: LookupStats,
  { version, startedAt }: ProcessFacts,
  resp = new RespStats([]),
): Metrics {
  const registry = new Registry()
  // All series of a scrape use the same status. They are read synchronously.
  let status = source.status()
  const series = new SeriesRegistry(registry, prefix)
  series.gauge('build_info', 'Always 1; the labels name the versions', () => {
    return [{ labels: { version, bun: Bun.version }, value: 1 }]
  })
  for (const [name, help, counter] of storeCounters) series.counter(name, help, () => source.stats.count(counter))
  series.counter('records_skipped_total', 'Source records not applied, by reason', () => {
    return skippedReasons.map(([reason, counter]) => ({ labels: { reason }, value: source.stats.count(counter) }))
  })
  series.gauge('oplog_length', 'Operations that await the next flush', () => source.stats.count('oplogLength'))
  registerStatus(series, () => status)
  registerMemory(series, () => status.memory)
  registerPartitionSeries(series, () => ({ stats: source.stats, details: status.details }))
  registerLookups(series, source, lookups)
  registerGroup(
    series,
    lookups,
    () => source.stats,
    () => status,
  )
  registerResp(series, resp)
  registerProcess(series, startedAt / 1000)
  return {
    contentType: registry.contentType,
    render() {
      status = source.status()
      return registry.metrics()
    },
  }
}

function registerStatus(series: SeriesRegistry, read: () => StoreStatus): void {
  series.gauge('state', '1 for the state that the store is in, 0 for the others', () => {
    const { state } = read()
    return storeStates.map((candidate) => ({ labels: { state: candidate }, value: candidate === state ? 1 : 0 }))
  })
  series.gauge('condition', '1 where a condition of readiness holds or does not apply, else 0', () => {
    const failing = new Set(read().conditions.flatMap(({ name, ok }) => (ok ? [] : name)))
    return conditionNames.map((name) => ({ labels: { name }, value: failing.has(name) ? 0 : 1 }))
  })
  series.gauge('recovery_records_per_second', 'Records per second of the current recovery, 0 if there is none', () => {
    return read().recovery?.recordsPerSecond ?? 0
  })
}

function registerLookups(series: SeriesRegistry, source: MetricsSource, lookups: LookupStats): void {
  series.counter('lookups_total', 'Lookups over HTTP, by outcome', () => {
    return lookupOutcomes.map((outcome) => ({ labels: { outcome }, value: lookups.count(outcome) }))
  })
  series.histogram('lookup_seconds', 'Time from a request to its response', latencyBounds, () => {
    const { cumulative, seconds } = lookups.latency()
    return { cumulative, sum: seconds }
  })
  series.counter('hosts_refused_total', 'Requests refused for their Host', () => lookups.hostsRefused)
  series.gauge('readers', 'Readers in the pool', () => source.readers.size)
  series.gauge('readers_in_use', 'Readers in use by lookups', () => source.readers.inUse)
  series.gauge('waiting', 'Requests that wait for a change', () => source.changes.waiting)
  series.gauge('followers', 'Clients that follow changes over HTTP', () => lookups.feed.followers)
  series.counter('feed_events_total', 'Events sent to clients that follow changes, by kind', () => {
    return feedEventKinds.map((kind) => ({ labels: { kind }, value: lookups.feed.count(kind) }))
  })
  series.counter(
    'feed_resumes_total',
    'Streams of changes that continue after a place, by where that was found',
    () => {
      return resumeKinds.map((from) => ({ labels: { from }, value: lookups.feed.resumes(from) }))
    },
  )
  series.gauge('readers_waiting', 'Lookups that wait for a reader', () => source.readers.waiting)
}

function registerProcess(series: SeriesRegistry, startSeconds: number): void {
  series.gauge('process_resident_memory_bytes', 'Resident memory of the process', () => process.memoryUsage.rss())
  series.gauge(
    'process_start_time_seconds',
    'Start time of the process, in seconds since the epoch',
    () => startSeconds,
  )
  series.counter('process_cpu_seconds_total', 'User and system CPU time', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
}
