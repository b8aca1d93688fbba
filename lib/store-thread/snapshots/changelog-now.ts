/** What Kafka says of changelog partitions at a start, by which their snapshots are checked. */
import { LatchkeyError } from '../../errors.ts'
import { sleep } from '../../kafka/backoff.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { endOfLeaderEpoch } from '../../kafka/leader-epochs.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { describeTopic } from '../../kafka/topics.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { deleteRetentionDefaultMs } from '../../store-protocol/snapshot-age.ts'
import { BrokerClock } from '../broker-clock.ts'
import { batchAt } from '../recovery/batch-at.ts'

/**
 * Time to wait for the fence marker, which reaches the partition a little after the coordinator has granted it. Without
 * it the local clock has to do.
 */
const markerPatienceMs = 5_000
const markerPauseMs = 10

export interface ChangelogNow {
  readonly clusterId: string | undefined
  readonly topicId: string | undefined
  readonly start: number
  /** Offset of the fence marker; end of the log without one. */
  readonly end: number
  /** By the fence marker; undefined without one. */
  readonly clock: BrokerClock | undefined
}

/** @param identityOf of the owner; undefined without fencing, and for a replica */
export async function changelogNow(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  identityOf: (partition: number) => ProducerIdentity | undefined,
): Promise<Map<number, ChangelogNow>> {
  const [starts, ends] = await Promise.all([
    client.retryForever(() => listOffsets(client, topic, partitions, 'earliest')),
    endsOf(client, topic, partitions, identityOf),
  ])
  const { clusterId } = client.topics
  const topicId = client.topics.id(topic)
  return new Map(
    partitions.map((partition) => [
      partition,
      { clusterId, topicId, start: starts.get(partition)!, ...ends.get(partition)! },
    ]),
  )
}

/**
 * Returns where a leader epoch ends; undefined if the leader does not know the epoch. An epoch without records may be
 * forgotten; then the answer is where the epoch before it ends, which says the same.
 */
export async function epochEndOf(
  client: KafkaClient,
  topic: string,
  partition: number,
  epoch: number,
): Promise<number | undefined> {
  const end = await client.retryForever(() => endOfLeaderEpoch(client, topic, partition, epoch))
  return end?.endOffset
}

/** Returns `delete.retention.ms` of a topic; Kafka's default if this user may not read it. */
export async function deleteRetentionOf(client: KafkaClient, topic: string): Promise<number> {
  const config = await client.retryForever(() => describeTopic(client, topic))
  const stated = config?.get('delete.retention.ms')
  const ms = stated === undefined || !/^\d{1,19}$/.test(stated) ? deleteRetentionDefaultMs : Number(stated)
  return Math.min(ms, Number.MAX_SAFE_INTEGER)
}

type End = Pick<ChangelogNow, 'end' | 'clock'>

async function endsOf(
  client: KafkaClient,
  topic: string,
  partitions: readonly number[],
  identityOf: (partition: number) => ProducerIdentity | undefined,
): Promise<Map<number, End>> {
  const found = new Map<number, End>()
  for (const until = performance.now() + markerPatienceMs; ;) {
    const missing = partitions.filter((partition) => found.get(partition)?.clock === undefined)
    const ends = await client.retryForever(() => listOffsets(client, topic, missing, 'latest', 'read_uncommitted'))
    const looking = missing.map(async (partition) => {
      const identity = identityOf(partition)
      const end = ends.get(partition)!
      const looks = identity !== undefined && end > 0
      const marked = looks
        ? await client.retryForever(() => markerFrom(client, topic, partition, end - 1, identity))
        : undefined
      found.set(partition, marked ?? { end, clock: undefined })
    })
    await Promise.all(looking)
    const isComplete = missing.every((partition) => {
      return identityOf(partition) === undefined || found.get(partition)!.clock !== undefined
    })
    if (isComplete || performance.now() > until || client.signal.aborted) return found
    await sleep(markerPauseMs, client.signal)
  }
}

/** Returns the owner's marker, if it is at an offset or after it: the log may have grown since its end was asked for. */
async function markerFrom(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
  { producerId, producerEpoch }: ProducerIdentity,
): Promise<End | undefined> {
  const fetched = await batchAt(client, topic, partition, offset)
  if (fetched === undefined) return undefined
  const batches = new CommittedBatches()
  const { batch } = batches
  batches.open(fetched, offset)
  try {
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      const isOwn = batch.producerId === producerId && batch.producerEpoch >= producerEpoch
      if (kind === 'control' && isOwn) return { end: batch.baseOffset, clock: new BrokerClock(batch.maxTimestamp) }
    }
  } catch (error) {
    // Recovery reads the same batch and reports it.
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
  }
  return undefined
}
