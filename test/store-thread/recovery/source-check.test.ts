import { expect, test } from 'bun:test'
import { isRecreated } from '../../../lib/store-thread/recovery/source-check.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

const expected = { offset: 12, key: Buffer.from('key'), timestamp: 1000 }

function batch(at: number, fields: Parameters<typeof rawBatch>[0], ...keys: (string | null)[]): Buffer {
  const records = keys.map((key, offsetDelta) => rawRecord({ offsetDelta, key }))
  return rawBatch({ baseOffset: BigInt(at), baseTimestamp: 1000n, records, ...fields })
}

/** @param ends by default, of a log whose retention has removed what was ingested */
async function check(
  answer: Omit<FetchAnswer, 'partition'>,
  keepsTimestamps = true,
  ends = { earliest: 15, latest: 20 },
): Promise<boolean> {
  const fake = new FakeClient()
  fake.offsets.set(0, ends)
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  const checked = isRecreated(fake.client, 'source', 0, expected, keepsTimestamps)
  const exchange = await fake.next()
  expect(fetchPositions(exchange.request)).toMatchObject([{ partition: 0, offset: 12 }])
  const response = fetchResponse('source', [{ partition: 0, ...answer }])
  exchange.answer(response)
  void fake.serve((again) => again.answer(response))
  return checked
}

test.each([
  ['it is the record that was ingested', { records: batch(12, {}, 'key', 'other') }],
  ['its batch begins earlier', { records: batch(10, {}, 'a', 'b', 'key') }],
  ['it was compacted away and its batch is still there', { records: batch(10, { lastOffsetDelta: 5 }, 'a', 'b') }],
  ['it was compacted away with its batch', { records: batch(15, {}, 'other') }],
  ['retention has removed it', { errorCode: 1 }],
  ['there is nothing', {}],
  ['its batch is damaged', { records: Buffer.from(batch(12, {}, 'key')).fill(1, 62, 64) }],
])('isRecreated is false when %s', async (_, answer) => {
  expect(await check(answer)).toBe(false)
})

test.each([
  ['its key is another', { records: batch(12, {}, 'other') }],
  ['its key is longer', { records: batch(12, {}, 'key2') }],
  ['it has no key', { records: batch(12, {}, null) }],
  [
    'a record of an aborted transaction stands there',
    {
      records: batch(12, { producerId: 3n, attributes: 0x10 }, 'key'),
      aborted: [{ producerId: 3, firstOffset: 12 }],
    },
  ],
  [
    'the marker of a transaction stands there',
    { records: batch(12, { producerId: 3n, attributes: 0x30 }, '\0\0\0\0') },
  ],
  ['its timestamp is another', { records: batch(12, { baseTimestamp: 1001n }, 'key') }],
])('isRecreated is true when %s', async (_, answer) => {
  expect(await check(answer)).toBe(true)
})

test('isRecreated goes by the key alone when the changelog does not keep timestamps', async () => {
  expect(await check({ records: batch(12, { baseTimestamp: 1001n }, 'key') }, false)).toBe(false)
  expect(await check({ records: batch(12, {}, 'other') }, false)).toBe(true)
})

test('isRecreated fails with a retriable error when the broker wrongly calls an offset out of range', async () => {
  const error = await check({ errorCode: 1 }, true, { earliest: 0, latest: 20 }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'broker_error', message: expect.stringContaining('offset 12 is out of range') })
})

test('isRecreated fails with a retriable error when the broker does not lead the partition', async () => {
  const error = await check({ errorCode: 6 }).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'broker_error', retriable: true })
})
