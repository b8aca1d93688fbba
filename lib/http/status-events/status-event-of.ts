/** Makes a status event. It holds figures, names and settings, but nothing of keys, values and secrets. */
import { groupNotes, groupRows } from '../../group-protocol/describe-group.ts'
import type { StatsView } from '../../store-protocol/stats-view.ts'
import type { PartitionStatus, StoreStatus } from '../../store-protocol/status.ts'
import type { InstanceFacts } from '../observed.ts'
import { conditionsOf } from '../probes.ts'
import type { StoreView } from '../store-view.ts'
import { adviceFor } from './condition-advice.ts'
import { byAttention } from './partition-order.ts'
import type { Rates, ShownGroup, ShownMemory, ShownPartition, ShownSnapshots, StatusEvent } from './status-event.ts'

/** Of an event. A topic may have thousands of partitions. */
export const shownPartitionsMax = 256

export function statusEventOf(store: StoreView, facts: InstanceFacts, rates: Rates): StatusEvent {
  const status = store.status()
  const { details, skipped, reason } = status
  const conditions = conditionsOf(status)
  const isLeaving = conditions.some(({ name, ok }) => name === 'not_stopping' && !ok)
  const { startedAt, settings, instance, version, respPort } = facts
  return {
    id: status.id,
    topic: status.topics.source,
    changelog: status.topics.changelog,
    instance,
    version,
    respPort,
    // A store that answers for SHUTDOWN_DELAY runs, but what counts for a person is that it is about to end.
    state: status.state === 'running' && isLeaving ? 'stopping' : status.state,
    ...(reason !== undefined && { reason }),
    isCaughtUp: status.caughtUp,
    uptimeSeconds: Math.max(0, Math.round((Date.now() - startedAt) / 1000)),
    formats: status.formats,
    progress: store.progress(),
    isReady: conditions.every(({ ok }) => ok),
    conditions: conditions
      .filter(({ ok, reason: said }) => !ok || said !== undefined)
      .map((condition) => ({ ...condition, advice: adviceFor(condition) })),
    rates,
    totals: {
      partitions: details.length,
      entries: sumOf(details, ({ entries }) => entries),
      lag: details.length === 0 || details.some(({ lag }) => lag === null) ? null : sumOf(details, ({ lag }) => lag!),
    },
    partitions: details.toSorted(byAttention).slice(0, shownPartitionsMax).map(shown),
    partitionsOmitted: Math.max(0, details.length - shownPartitionsMax),
    badRecords: { total: skipped.total, byReason: skipped.byReason, last: skipped.last ?? [] },
    memory: memoryOf(status),
    snapshots: snapshotsOf(status, store.stats),
    group: groupOf(status),
    settings,
  }
}

function shown(detail: PartitionStatus): ShownPartition {
  const { partition, role, state, position, end, lag, entries, liveBytes, indexBytes } = detail
  return {
    partition,
    role,
    state,
    position,
    end,
    lag,
    entries,
    liveBytes,
    deadBytes: deadBytesOf(detail),
    indexBytes,
    snapshotAgeSeconds: detail.snapshot?.ageSeconds ?? null,
    ...(detail.reason !== undefined && { reason: detail.reason }),
  }
}

function memoryOf({ memory, details }: StoreStatus): ShownMemory {
  return {
    ...memory,
    resident: process.memoryUsage.rss(),
    live: sumOf(details, ({ liveBytes }) => liveBytes),
    dead: sumOf(details, deadBytesOf),
    index: sumOf(details, ({ indexBytes }) => indexBytes),
  }
}

function snapshotsOf({ details }: StoreStatus, stats: StatsView): ShownSnapshots | null {
  const snapshots = details.flatMap(({ snapshot }) => snapshot ?? [])
  if (snapshots.length === 0) return null
  const ages = snapshots.flatMap(({ ageSeconds }) => ageSeconds ?? [])
  const starts: Record<string, number> = {}
  for (const { start } of snapshots) starts[start] = (starts[start] ?? 0) + 1
  return {
    partitions: ages.length,
    ageSeconds: ages.length === 0 ? null : Math.max(...ages),
    bytes: sumOf(snapshots, ({ bytes }) => bytes ?? 0),
    taken: stats.count('snapshots'),
    failed: stats.count('snapshotFailures'),
    starts,
  }
}

function groupOf({ group }: StoreStatus): ShownGroup | null {
  if (group === undefined) return null
  const { name, state, generation, isLeader, leaseMs } = group
  const shownGroup = { name, state, generation, isLeader, leaseSeconds: Math.round(leaseMs / 1000) }
  return { ...shownGroup, instances: groupRows(group), notes: groupNotes(group) }
}

/** The two gauges are not written together. */
function deadBytesOf({ liveBytes, totalBytes }: PartitionStatus): number {
  return Math.max(0, totalBytes - liveBytes)
}

function sumOf<T>(parts: readonly T[], valueOf: (part: T) => number): number {
  return parts.reduce((sum, part) => sum + valueOf(part), 0)
}
