/** Reads the status of a partition from its gauges in shared memory. */
import { partitionStateOf } from '../store-protocol/partition-state.ts'
import { snapshotRefusals } from '../store-protocol/snapshot-refusal.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { PartitionStatus, PartitionTrouble } from '../store-protocol/status.ts'
import { isInGroup, type StoreConfig } from '../store-protocol/store-config.ts'

/** Age of the known end after which the lag of a replica is unknown. */
const lagKnownMsMost = 10_000
/** Of Fetch requests, if no client properties say otherwise. */
const fetchWaitMs = 500
/** Beyond the wait of a Fetch: for a busy machine and broker. */
const answerMs = 1_500

/**
 * Returns the age of the known end after which the lag of a replica is unknown. In a group it is little more than a Fetch
 * may wait: a process that was stopped for longer does not know that it is behind, and another instance can be asked.
 */
export function lagKnownMsOf(config: Pick<StoreConfig, 'elastic' | 'clients'>): number {
  if (!isInGroup(config)) return lagKnownMsMost
  return Math.min(lagKnownMsMost, (config.clients?.changelog.fetch.maxWaitMs ?? fetchWaitMs) + answerMs)
}

export function partitionStatus(
  stats: StatsView,
  partition: number,
  troubles: readonly PartitionTrouble[] = [],
  isFull = false,
): PartitionStatus {
  const isReplica = stats.gauge(partition, 'role') === 1
  const position = known(stats.gauge(partition, 'position'))
  const end = known(stats.gauge(partition, 'end'))
  const lag = position === null || end === null ? null : Math.max(end - position, 0)
  const state = partitionStateOf(stats, partition)
  return {
    partition,
    role: isReplica ? 'replica' : 'primary',
    state: isFull && state === 'running' ? 'full' : state,
    position,
    end,
    lag: isReplica ? replicaLag(stats, partition) : lag,
    entries: Math.max(stats.gauge(partition, 'entries'), 0),
    liveBytes: Math.max(stats.gauge(partition, 'liveBytes'), 0),
    totalBytes: Math.max(stats.gauge(partition, 'totalBytes'), 0),
    indexBytes: Math.max(stats.gauge(partition, 'indexBytes'), 0),
    ...snapshotStatus(stats, partition),
    ...(troubles.length === 0 ? {} : { reason: troubles.map(reasonOf).join(' · '), troubles: [...troubles] }),
  }
}

/**
 * Returns how many records a replica is behind the changelog; null if the changelog's end was not received for a while.
 *
 * @param knownMs as lagKnownMsOf()
 */
export function replicaLag(stats: StatsView, partition: number, knownMs = lagKnownMsMost): number | null {
  if (Date.now() - stats.gauge(partition, 'endKnownAt') > knownMs) return null
  return Math.max(stats.gauge(partition, 'end') - stats.gauge(partition, 'position'), 0)
}

function reasonOf({ client, broker, since, message }: PartitionTrouble): string {
  const where = broker === null ? '' : `${broker}, `
  return `${client}: ${message} (${where}since ${since})`
}

function known(gauge: number): number | null {
  return gauge < 0 ? null : gauge
}

function snapshotStatus(stats: StatsView, partition: number): Pick<PartitionStatus, 'snapshot'> {
  const start = snapshotRefusals[stats.gauge(partition, 'snapshotRefusal')]
  if (start === undefined) return {}
  const takenAt = known(stats.gauge(partition, 'snapshotTakenAt'))
  const snapshot = {
    start,
    position: known(stats.gauge(partition, 'snapshotPosition')),
    ageSeconds: takenAt === null ? null : Math.max(0, Math.round((Date.now() - takenAt) / 1000)),
    entries: known(stats.gauge(partition, 'snapshotEntries')),
    bytes: known(stats.gauge(partition, 'snapshotBytes')),
    seconds: known(stats.gauge(partition, 'snapshotSeconds')),
  }
  return { snapshot }
}
