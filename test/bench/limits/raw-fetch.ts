/** What the broker and a connection give at most: whole responses fetched, and only the headers of their batches looked at. */
import { fetchRequest, parseFetchResponse } from '../../../lib/kafka/protocol/fetch.ts'
import * as layout from '../../../lib/kafka/record-batch/layout.ts'
import { endOf } from '../topics/ends.ts'
import { benchClient } from '../topics/filler.ts'

const options = {
  minBytes: 1,
  maxWaitMs: 500,
  maxBytes: 8 * 1024 * 1024,
  partitionMaxBytes: 2 * 1024 * 1024,
  isolation: 'read_committed' as const,
  rack: '',
}

/** Records a second over a whole topic. */
export async function rawFetch(bootstrap: string, topic: string, partitions: number): Promise<number> {
  const client = benchClient(bootstrap)
  try {
    await client.metadata([topic])
    const end = await endOf(client, topic, partitions)
    const positions = Array.from({ length: partitions }, () => 0)
    const startedAt = performance.now()
    for (let done = 0; done < end; done = positions.reduce((sum, position) => sum + position)) {
      const asked = positions.map((offset, partition) => ({ partition, offset }))
      // Those with least behind them first: the broker fills a response in this order.
      const request = fetchRequest(
        topic,
        asked.toSorted((a, b) => a.offset - b.offset),
        options,
      )
      const response = parseFetchResponse(await client.send(client.leader(topic, 0)!, request, 60_000))
      for (const { partition, buffer, start, end: until } of response.partitions) {
        positions[partition] = nextOffset(buffer, start, until) ?? positions[partition]!
      }
    }
    return (end / (performance.now() - startedAt)) * 1000
  } finally {
    client.close()
  }
}

/** After the last whole batch. */
function nextOffset(buffer: Buffer, start: number, end: number): number | undefined {
  let next: number | undefined
  for (let at = start; at + layout.recordsAt <= end;) {
    const batchEnd = at + layout.lengthPrefixBytes + buffer.readInt32BE(at + layout.batchLengthAt)
    if (batchEnd > end) break
    next = layout.readInt64(buffer, at) + buffer.readInt32BE(at + layout.lastOffsetDeltaAt) + 1
    at = batchEnd
  }
  return next
}
