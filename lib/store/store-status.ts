/** The status of a store, from the reports of its threads. */
import { GroupNotice } from '../group-protocol/group-notice.ts'
import type { GroupStatus } from '../group-protocol/group-status.ts'
import { mapBudgetOf } from '../store-protocol/memory-budget.ts'
import { ShutdownNotice } from '../store-protocol/shutdown-notice.ts'
import { lastOf, skippedOf } from '../store-protocol/skipped.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Condition, StoreStatus } from '../store-protocol/status.ts'
import { isInGroup, type StoreConfig } from '../store-protocol/store-config.ts'
import { conditionsOf, reasonsOf, summaryOf } from './conditions.ts'
import { partitionStatus } from './partition-status.ts'
import type { StoreThreads } from './store-threads.ts'

export function statusOf(config: StoreConfig, formats: StoreStatus['formats'], threads: StoreThreads): StoreStatus {
  const { storeId, readyWhen, onBadRecord, shutdownNotice } = config
  const { all: handles, state, stats, recovery } = threads
  const { full } = threads
  const { primaries, replicas } = threads.assignment
  const partitionTroubles = handles.flatMap((handle) => handle.troubles.partitions)
  const details = stats.partitions.map((partition) => {
    const troubles = partitionTroubles.filter((trouble) => trouble.partition === partition)
    return partitionStatus(stats, partition, troubles, full !== undefined)
  })
  const reasonsIn = (kind: 'fenced' | 'halted' | 'contested') =>
    reasonsOf(kind, details, new Map(handles.flatMap((handle) => [...handle[kind]])))
  const fenced = reasonsIn('fenced')
  const contested = reasonsIn('contested')
  const halted = onBadRecord === 'stop' ? reasonsIn('halted') : undefined
  const { group } = threads
  const leaving = (shutdownNotice && new ShutdownNotice(shutdownNotice).reason) ?? handingOver(group?.status)
  const failure = handles.find((handle) => handle.failure !== undefined)?.failure?.message
  const rebuilding = new Map(handles.flatMap((handle) => [...handle.rebuilding]))
  const troubles = handles.flatMap(({ repairing, foreign, troubles: { trouble } }) => [
    ...[repairing, foreign].flatMap((kind) => (kind.size ? [summaryOf(kind)] : [])),
    ...(trouble ? [trouble] : []),
  ])
  const reason =
    failure ??
    [
      ...[fenced, contested, halted, rebuilding].flatMap((kind) => (kind?.size ? [summaryOf(kind)] : [])),
      ...(full === undefined ? [] : [full]),
      ...(leaving === undefined ? [] : [leaving]),
      ...troubles,
    ].join(' · ')
  return {
    id: storeId,
    topics: { source: config.sourceTopic || null, changelog: config.changelogTopic },
    formats,
    state,
    ...(reason === '' ? {} : { reason }),
    partitions: { primary: [...primaries], replicas: [...replicas] },
    caughtUp: isInGroup(config) ? isCaughtUp(stats, primaries) : handles.every((handle) => handle.caughtUp),
    recovery,
    memory: {
      state: full === undefined ? 'ok' : 'full',
      max: config.memoryMax ?? null,
      budget: mapBudgetOf(config) ?? null,
      used: stats.count('mapBytes'),
      free: stats.count('mapFreeBytes'),
    },
    skipped: { ...skippedOf(stats), ...lastOf(handles.map(({ badRecords }) => badRecords)) },
    details,
    ...(group && { group: { ...group.status, leaseMs: leaseOf(config) } }),
    conditions: conditionsOf({
      state,
      readyWhen,
      caughtUp: threads.isCaughtUp,
      fenced,
      contested,
      halted,
      rebuilding,
      full,
      failure,
      leaving,
      group: group?.conditions ?? (isInGroup(config) ? notJoined : []),
      trouble: handles.flatMap(({ troubles: { trouble } }) => trouble ?? []).join(' · ') || undefined,
    }),
  }
}

const notJoined: readonly Condition[] = [{ name: 'in_group', ok: false, reason: 'it has not joined the group yet' }]

/** Partitions that others had before are caught up when their source was read as far as it went then. */
function isCaughtUp(stats: StatsView, primaries: readonly number[]): boolean {
  return primaries.every((partition) => stats.gauge(partition, 'caughtUp') === 1)
}

function handingOver(group: GroupStatus | undefined): string | undefined {
  if (group?.state !== 'leaving' && group?.state !== 'left') return undefined
  return 'the process stops: it hands over to the other instances of the group'
}

function leaseOf({ elastic }: StoreConfig): number {
  return elastic?.notice === undefined ? 0 : Math.round(new GroupNotice(elastic.notice).leaseMs())
}
