/** What lies in a stretch of the changelog where the store has written nothing. */
import { type KafkaClient } from '../../kafka/client.ts'
import { type ProducerIdentity } from '../../kafka/transactional-id.ts'
import { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { fetchAt } from './fetch-at.ts'

/**
 * Whether there are records from one offset to another (exclusive). Markers of transactions are none: a broker that was restarted while
 * it marked our fence writes the marker again.
 */
export async function holdsRecords(
  client: KafkaClient,
  topic: string,
  partition: number,
  from: number,
  to: number,
): Promise<boolean> {
  const batch = new RecordBatchReader()
  for (let position = from; position < to;) {
    const fetched = await fetchAt(client, topic, partition, position, 'read_uncommitted')
    if (fetched === undefined) return false
    batch.open(fetched.buffer, fetched.start, fetched.end)
    const before = position
    while (batch.nextBatch() && batch.baseOffset < to) {
      if (batch.nextOffset <= position) continue
      if (!batch.isControl && batch.recordCount > 0) return true
      position = batch.nextOffset
    }
    if (position === before) return false
  }
  return false
}

/** Whose markers stand from an offset on, in order. */
export async function markersFrom(
  client: KafkaClient,
  topic: string,
  partition: number,
  from: number,
): Promise<ProducerIdentity[]> {
  const markers: ProducerIdentity[] = []
  const batch = new RecordBatchReader()
  for (let position = from; ;) {
    const fetched = await fetchAt(client, topic, partition, position, 'read_uncommitted')
    if (fetched === undefined) return markers
    batch.open(fetched.buffer, fetched.start, fetched.end)
    const before = position
    while (batch.nextBatch()) {
      if (batch.nextOffset <= position) continue
      const { producerId, producerEpoch, isControl } = batch
      if (isControl) markers.push({ producerId, producerEpoch })
      position = batch.nextOffset
    }
    if (position === before) return markers
  }
}

/**
 * Whether another owner has taken the partition from an offset on, and has written to it: a marker that is not ours, and records of the same producer
 * that are in no transaction. Ends at the first of them.
 */
export async function hasSuccessor(
  client: KafkaClient,
  topic: string,
  partition: number,
  from: number,
  isOwn: (written: ProducerIdentity) => boolean,
): Promise<boolean> {
  const marked = new Set<string>()
  const batch = new RecordBatchReader()
  for (let position = from; ;) {
    const fetched = await client.persist(() => fetchAt(client, topic, partition, position, 'read_uncommitted'))
    if (fetched === undefined) return false
    batch.open(fetched.buffer, fetched.start, fetched.end)
    const before = position
    while (batch.nextBatch()) {
      if (batch.nextOffset <= position) continue
      position = batch.nextOffset
      if (isOwn(batch)) continue
      const name = `${batch.producerId} ${batch.producerEpoch}`
      if (batch.isControl) marked.add(name)
      else if (!batch.isTransactional && marked.has(name)) return true
    }
    if (position === before) return false
  }
}
