/** Determines the producers that wrote to a range of the changelog. */
import type { KafkaClient } from '../../kafka/client.ts'
import type { ProducerIdentity } from '../../kafka/transactional-id.ts'
import { logBatches } from './log-batches.ts'

const atEnd = Number.POSITIVE_INFINITY

/** Returns the producer identities of all markers from an offset on, in log order. */
export async function markersFrom(
  client: KafkaClient,
  topic: string,
  partition: number,
  from: number,
): Promise<ProducerIdentity[]> {
  const markers: ProducerIdentity[] = []
  for await (const { batch } of logBatches(client, topic, partition, { from, to: atEnd }, 'read_uncommitted')) {
    const { producerId, producerEpoch, isControl } = batch
    if (isControl) markers.push({ producerId, producerEpoch })
  }
  return markers
}

/**
 * Whether another owner has taken the partition after an offset and has written to it: there is a foreign marker,
 * followed by non-transactional records of the same producer. Stops at the first match.
 * @param ownMarker receives the offset of each own marker before it
 */
export async function hasSuccessor(
  client: KafkaClient,
  topic: string,
  partition: number,
  from: number,
  isOwn: (written: ProducerIdentity) => boolean,
  ownMarker: (offset: number) => void = () => {},
): Promise<boolean> {
  const marked = new Set<string>()
  for await (const { batch } of logBatches(client, topic, partition, { from, to: atEnd }, 'read_uncommitted')) {
    if (isOwn(batch)) {
      if (batch.isControl) ownMarker(batch.baseOffset)
      continue
    }
    const name = `${batch.producerId} ${batch.producerEpoch}`
    if (batch.isControl) marked.add(name)
    else if (!batch.isTransactional && marked.has(name)) return true
  }
  return false
}
