/** What a store should show: the last value of each key, straight from a topic. */
import { CommittedBatches } from '../../../lib/kafka/committed-batches.ts'
import type { KafkaClient } from '../../../lib/kafka/client.ts'
import { type FetchOptions, fetchRequest, parseFetchResponse } from '../../../lib/kafka/fetch.ts'
import { listOffsets } from '../../../lib/kafka/offsets.ts'
import { withClient } from '../support/log.ts'
import type { TopicContent, TopicRecord } from './history.ts'

const fetchOptions: FetchOptions = {
  maxWaitMs: 100,
  minBytes: 1,
  maxBytes: 8 << 20,
  partitionMaxBytes: 8 << 20,
  isolation: 'read_committed',
  rack: '',
}

/** All that a consumer can see of a topic now, partition by partition, in the order of the log. */
export function readTopic(bootstrap: string, topic: string): Promise<TopicContent> {
  return withClient(bootstrap, async (client) => {
    const content: TopicContent = { records: [], markers: [] }
    const partitions = await client.persist(async () => {
      const [found] = await client.metadata([topic])
      return found!.partitions.map(({ partition }) => partition)
    })
    const starts = await client.persist(() => listOffsets(client, topic, partitions, 'earliest'))
    const ends = await client.persist(() => listOffsets(client, topic, partitions, 'latest'))
    for (const partition of partitions) {
      await readPartition(client, topic, partition, starts.get(partition)!, ends.get(partition)!, content)
    }
    return content
  })
}

async function readPartition(
  client: KafkaClient,
  topic: string,
  partition: number,
  start: number,
  end: number,
  content: TopicContent,
): Promise<void> {
  const batches = new CommittedBatches()
  const { batch } = batches
  for (let position = start; position < end;) {
    const [node = -1] = (await client.leaders(topic, [partition])).keys()
    const request = fetchRequest(topic, [{ partition, offset: position }], fetchOptions)
    const [fetched] = parseFetchResponse(await client.send(node, request, client.requestTimeoutMs)).partitions
    if (fetched!.errorCode !== 0) throw new Error(`read ${topic} partition ${partition}: error ${fetched!.errorCode}`)
    batches.open(fetched!, position)
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      if (kind === 'control') {
        content.markers.push({ partition, offset: batch.baseOffset, timestamp: batch.maxTimestamp })
      } else if (kind === 'records') {
        batch.openRecords({ checkCrc: true })
        while (batch.nextRecord()) {
          if (batch.offset >= position && batch.keyLength >= 0) content.records.push(recordOf(batch, partition))
        }
      }
      position = batch.nextOffset
    }
  }
}

function recordOf(batch: CommittedBatches['batch'], partition: number): TopicRecord {
  const { data, keyStart, keyLength, valueStart, valueLength, offset } = batch
  return {
    partition,
    offset,
    key: data.toString('utf8', keyStart, keyStart + keyLength),
    value: valueLength < 0 ? null : data.toString('utf8', valueStart, valueStart + valueLength),
    src: batch.sourceOffset(),
  }
}

/** The last value of every key that a topic's records name; null where that is a tombstone. */
export function fold(records: readonly TopicRecord[]): Map<string, string | null> {
  const values = new Map<string, string | null>()
  for (const { key, value } of records) values.set(key, value)
  return values
}
