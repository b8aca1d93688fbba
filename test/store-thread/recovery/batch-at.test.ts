import { expect, test } from 'bun:test'
import { batchAt } from '../../../lib/store-thread/recovery/batch-at.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

function batch(at: number): Buffer {
  return rawBatch({ baseOffset: BigInt(at), records: [rawRecord({ offsetDelta: 0, key: 'key' })] })
}

/** Partitions by request. Partitions of `answerOf` undefined have no records in their answer. */
async function asked(partitions: number, answerOf: (partition: number, alone: boolean) => Partial<FetchAnswer>) {
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  const fake = new FakeClient(Object.fromEntries(all.map((partition) => [partition, 1])))
  const requests: number[][] = []
  void fake.serve(({ request, answer }) => {
    const positions = fetchPositions(request)
    requests.push(positions.map(({ partition }) => partition))
    const answers = positions.map(({ partition }) => ({ partition, ...answerOf(partition, positions.length === 1) }))
    answer(fetchResponse('source', answers))
  })
  const found = await Promise.all(all.map((partition) => batchAt(fake.client, 'source', partition, 100 + partition)))
  return { requests, found: found.map((one) => one && one.buffer.subarray(one.start, one.end)), lookups: fake.lookups }
}

test('the batches of 500 partitions are fetched with 16 requests, each of 32 KiB from 32 partitions', async () => {
  const { requests, found, lookups } = await asked(500, (partition) => ({ records: batch(100 + partition) }))
  expect(requests.map(({ length }) => length)).toEqual([...Array.from({ length: 15 }, () => 32), 20])
  expect(found).toEqual(Array.from({ length: 500 }, (_, partition) => batch(100 + partition)))
  expect(lookups).toBe(1)
})

test.each<[string, Partial<FetchAnswer>]>([
  ['is larger than its share', { highWatermark: 200, lastStableOffset: 200 }],
  ['is not whole', { records: batch(102).subarray(0, 30) }],
  ['is damaged', { records: Buffer.from(batch(102)).fill(1, 62, 64) }],
  ['ends before the offset', { records: batch(101) }],
  ['has an error', { errorCode: 6 }],
])('a partition whose batch %s is fetched by itself', async (_, joined) => {
  const { requests, found } = await asked(4, (partition, alone) => {
    return partition === 2 && !alone ? joined : { records: batch(100 + partition) }
  })
  expect(requests).toEqual([[0, 1, 2, 3], [2]])
  expect(found[2]).toEqual(batch(102))
})
