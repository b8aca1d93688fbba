/**
 * What a snapshot states that is taken now. Its time is when the leader was asked for the end of the log: as everything
 * up to that end is in the map by now, what the snapshot lacks was appended later.
 */
import { sleep } from '../../kafka/backoff.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { endOfLeaderEpoch } from '../../kafka/leader-epochs.ts'
import type { Moment, SnapshotFacts } from '../../store-protocol/snapshot-facts.ts'
import type { Strangers } from '../strangers.ts'
import type { PartitionPoint, SnapshotPartition } from './partition-point.ts'
import type { SnapshotTrail } from './snapshot-trail.ts'

/** Time to wait until the map has what the changelog had when its leader was asked. */
const patienceMs = 2_000
const pauseMs = 5

export interface FactsOptions {
  readonly client: KafkaClient
  readonly changelogTopic: string
  readonly keepHeaders: readonly string[]
  /** Absent where it is not looked at how keys are placed. */
  readonly strangers?: Strangers | undefined
}

/**
 * Returns undefined if no snapshot may be taken now. Rejects if Kafka does not answer.
 * @param deleteRetentionMs of the changelog
 */
export async function factsNow(
  { client, changelogTopic, keepHeaders, strangers }: FactsOptions,
  partition: number,
  { source, trail }: { source: SnapshotPartition; trail: SnapshotTrail },
  deleteRetentionMs: number,
  signal: AbortSignal,
): Promise<SnapshotFacts | undefined> {
  const before = source.point()
  if (before === undefined) return undefined
  await client.leaders(changelogTopic, [partition])
  const leaderEpoch = client.topics.leaderEpoch(changelogTopic, partition)
  const topicId = client.topics.id(changelogTopic)
  const { clusterId } = client.topics
  if (leaderEpoch < 0 || topicId === undefined || clusterId === undefined) return undefined
  const takenAt = momentBy(before)
  const end = await endOfLeaderEpoch(client, changelogTopic, partition, leaderEpoch)
  if (end === undefined || end.epoch !== leaderEpoch) return undefined
  const point = await reached(source, end.endOffset, signal)
  if (point === undefined || client.topics.id(changelogTopic) !== topicId) return undefined
  const { position, changelogStart, owners } = point
  const of = { clusterId, changelogTopic, topicId, position, leaderEpoch, changelogStart, takenAt }
  const placed = strangers?.placingOf(partition)
  return { ...of, deleteRetentionMs, keepHeaders, records: trail.records, trail: trail.state, owners, placed }
}

export function momentBy({ clock }: PartitionPoint): Moment {
  return { local: Date.now(), broker: clock?.now }
}

/** Waits until everything below a changelog offset is in the map. */
async function reached(
  source: SnapshotPartition,
  offset: number,
  signal: AbortSignal,
): Promise<PartitionPoint | undefined> {
  for (const until = performance.now() + patienceMs; performance.now() < until && !signal.aborted;) {
    const point = source.point()
    if (point === undefined || point.known >= offset) return point
    await sleep(pauseMs, signal)
  }
  return undefined
}
