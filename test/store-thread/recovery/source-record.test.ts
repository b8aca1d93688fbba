import { expect, test } from 'bun:test'
import { findSourceRecord } from '../../../lib/store-thread/recovery/source-record.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { oversizedBatch } from '../../support/kafka/record-batch/oversized-batches.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

/** The key of the record at an offset, in a log with one batch. */
async function find(offset: number, records: Buffer): Promise<string | undefined> {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 0, latest: 1_000 })
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  void fake.serve(({ answer }) => {
    answer(fetchResponse('source', [{ partition: 0, records, lastStableOffset: 1_000 }]))
  })
  const found = await findSourceRecord(fake.client, 'source', 0, offset)
  return found?.data.toString('latin1', found.keyStart, found.keyStart + found.keyLength)
}

function batch(): Buffer {
  const records = [0, 2].map((offsetDelta) => rawRecord({ offsetDelta, key: `key ${offsetDelta}` }))
  return rawBatch({ records, lastOffsetDelta: 2 })
}

test('a record of the source is found by its offset', async () => {
  expect(await find(2, batch())).toBe('key 2')
})

test('a record of the source is not found when compaction has removed it', async () => {
  expect(await find(1, batch())).toBeUndefined()
})

test('a record of the source is not found when its batch is damaged', async () => {
  const damaged = batch()
  damaged.writeUInt8(damaged.at(-2)! ^ 0xff, damaged.length - 2)
  expect(await find(2, damaged)).toBeUndefined()
})

test('a record of the source is found in a batch too large to decompress at once', async () => {
  expect(await find(100, oversizedBatch(0))).toBe('key 100')
})
