/** Fetches one batch of each of many partitions with few requests. */
import type { KafkaClient } from '../../kafka/client.ts'
import { soundPart } from '../../kafka/damaged-batches.ts'
import { joined } from '../../kafka/joined.ts'
import {
  type FetchedPartition,
  type FetchPosition,
  fetchRequest,
  parseFetchResponse,
} from '../../kafka/protocol/fetch.ts'
import { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { plainFetch } from '../../topics/clients.ts'
import { fetchAt } from './fetch-at.ts'

/** More than the batches of most producers have. */
const partitionMaxBytes = 32 << 10
/** Partitions of one request. Its response has as many bytes as one partition may have in fetchAt(). */
const partitionsMax = plainFetch.partitionMaxBytes / partitionMaxBytes

/**
 * Like fetchAt(), for a caller that needs only the batch at the offset: what is asked for in the same turn shares
 * requests. Where such a response has no sound batch that reaches past the offset, it is fetchAt() that asks.
 */
export async function batchAt(
  client: KafkaClient,
  topic: string,
  partition: number,
  offset: number,
): Promise<FetchedPartition | undefined> {
  await client.leaders(topic, [partition])
  const node = client.leader(topic, partition)
  if (node !== undefined) {
    const kind = `batches of ${topic} at ${node}`
    const fetched = await joined(client, kind, { partition, offset }, (all) => fetchBatches(client, topic, node, all))
    const sound = fetched?.errorCode === 0 ? soundPart(fetched, offset) : undefined
    if (sound !== undefined && reachesPast(sound, offset)) return sound
  }
  return fetchAt(client, topic, partition, offset)
}

function reachesPast({ buffer, start, end }: FetchedPartition, offset: number): boolean {
  const batches = new RecordBatchReader()
  batches.open(buffer, start, end)
  while (batches.nextBatch()) if (batches.nextOffset > offset) return true
  return false
}

async function fetchBatches(
  client: KafkaClient,
  topic: string,
  node: number,
  positions: readonly FetchPosition[],
): Promise<(FetchedPartition | undefined)[]> {
  const options = { ...plainFetch, partitionMaxBytes, maxWaitMs: 0, isolation: client.isolation }
  const parts: FetchPosition[][] = []
  for (let at = 0; at < positions.length; at += partitionsMax) parts.push(positions.slice(at, at + partitionsMax))
  const found = new Map<number, FetchedPartition>()
  const fetching = parts.map(async (part) => {
    const purpose = { topic, partitions: part.map(({ partition }) => partition) }
    const request = fetchRequest(topic, part, options)
    const { errorCode, partitions } = parseFetchResponse(
      await client.send(node, request, client.requestTimeoutMs, purpose),
    )
    if (errorCode === 0) for (const fetched of partitions) found.set(fetched.partition, fetched)
  })
  await Promise.all(fetching)
  return positions.map(({ partition }) => found.get(partition))
}
