import { expect, test } from 'bun:test'
import type { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { logBatches, openBatches } from '../../../lib/store-thread/recovery/log-batches.ts'
import { FakeClient, unreachable } from '../../support/kafka/fakes/fake-client.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { oversizedBatch, oversizedRecords } from '../../support/kafka/record-batch/oversized-batches.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

/** Reads a part of a partition that continues after it. */
function read({ from = 0, to = 4, withMarkers = false } = {}) {
  const fake = new FakeClient()
  fake.isPersistent = true
  fake.offsets.set(0, { earliest: 0, latest: 1_000 })
  const seen: (string | number)[] = []
  const reading = (async () => {
    for await (const found of openBatches(fake.client, 'log', 0, { from, to }, { withMarkers })) {
      if (found.isControl) seen.push(`marker ${found.baseOffset}`)
      else seen.push(...offsetsOf(found))
    }
  })()
  return { fake, seen, reading }
}

function offsetsOf(reader: RecordBatchReader): number[] {
  const offsets: number[] = []
  while (reader.nextRecord()) offsets.push(reader.offset)
  return offsets
}

/** Answers the next Fetch; returns the offset that it asked for, and the node that it asked. */
async function answer(fake: FakeClient, answered: Partial<FetchAnswer> | undefined): Promise<[number, number]> {
  const exchange = await fake.next()
  exchange.answer(fetchResponse('log', answered === undefined ? [] : [{ partition: 0, ...answered }]))
  return [fetchPositions(exchange.request)[0]!.offset, exchange.node]
}

function batch(at: number, ...values: string[]): Buffer {
  const records = values.map((value, offsetDelta) => rawRecord({ offsetDelta, value }))
  return rawBatch({ baseOffset: BigInt(at), records })
}

function marker(at: number): Buffer {
  const record = rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })
  return rawBatch({ baseOffset: BigInt(at), producerId: 1n, producerEpoch: 1, attributes: 0x30, records: [record] })
}

test('batches of a part come up to its end, markers where they are asked for', async () => {
  for (const withMarkers of [false, true]) {
    const { fake, seen, reading } = read({ withMarkers })
    await answer(fake, { records: Buffer.concat([batch(0, 'a', 'b'), marker(2), batch(3, 'c'), batch(4, 'd')]) })
    await reading
    expect(seen).toEqual(withMarkers ? [0, 1, 'marker 2', 3] : [0, 1, 3])
  }
})

test('records of an open transaction are waited for, and reported with partition and offset', async () => {
  const { fake, seen, reading } = read()
  await answer(fake, { records: batch(0, 'a'), lastStableOffset: 1, highWatermark: 1_000 })
  for (let times = 0; times < 3; times++) await answer(fake, { lastStableOffset: 1, highWatermark: 1_000 })
  expect((await answer(fake, { records: batch(1, 'b', 'c', 'd') }))[0]).toBe(1)
  await reading
  expect(seen).toEqual([0, 1, 2, 3])
  expect(fake.troubles).toHaveLength(3)
  expect(fake.troubles[0]).toStartWith('Reading log partition 0 at offset 1: a transaction that another producer')
})

test('a part ends where compaction has left nothing of the rest', async () => {
  const { fake, seen, reading } = read()
  await answer(fake, { records: batch(0, 'a') })
  await answer(fake, { lastStableOffset: 4, highWatermark: 4 })
  await reading
  expect([seen, fake.troubles]).toEqual([[0], []])
})

test('a part ends early where the log is cut off', async () => {
  const { fake, seen, reading } = read()
  await answer(fake, { records: batch(0, 'a') })
  fake.offsets.set(0, { earliest: 0, latest: 1 })
  await answer(fake, { lastStableOffset: 1 })
  await reading
  expect(seen).toEqual([0])
})

test('a part continues at the start of the log if that has passed it', async () => {
  const { fake, seen, reading } = read()
  fake.offsets.set(0, { earliest: 2, latest: 1_000 })
  await answer(fake, { errorCode: 1 })
  expect(await answer(fake, { records: batch(2, 'c', 'd') })).toEqual([2, 1])
  await reading
  expect(seen).toEqual([2, 3])
})

test('a part is read when the leader moves, a broker fails, or answers without the partition', async () => {
  const { fake, seen, reading } = read()
  fake.leading.set(0, 2)
  expect(await answer(fake, { errorCode: 6 })).toEqual([0, 1])
  const exchange = await fake.next()
  expect(exchange.node).toBe(2)
  exchange.fail(unreachable())
  await answer(fake, undefined)
  await answer(fake, { records: batch(0, 'a', 'b', 'c', 'd').subarray(0, 40) })
  await answer(fake, { records: batch(0, 'a', 'b', 'c', 'd') })
  await reading
  expect(seen).toEqual([0, 1, 2, 3])
  expect(fake.troubles).toHaveLength(4)
})

test('a batch that is too large to decompress at once comes in pieces, from where the part begins', async () => {
  for (const from of [0, 100]) {
    const { fake, seen, reading } = read({ from, to: oversizedRecords + 1 })
    await answer(fake, { records: Buffer.concat([oversizedBatch(0), batch(oversizedRecords, 'behind')]) })
    await reading
    const first = seen[0] as number
    expect(seen).toEqual(Array.from({ length: oversizedRecords + 1 - first }, (_, index) => first + index))
    expect(first).toBeLessThanOrEqual(from)
    expect(first > 0).toBe(from > 0)
  }
})

test.each([
  ['ends the reading when it comes so again and again', 100],
  ['is read when it comes whole after a while', 5],
])('a damaged batch %s', async (_, times) => {
  const { fake, seen, reading } = read()
  const damaged = batch(1, 'b')
  damaged.writeUInt8(damaged.at(-2)! ^ 0xff, damaged.length - 2)
  const failure = reading.catch((error: unknown) => error)
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  let left = times
  void fake.serve(({ answer: send }) => {
    const second = left-- > 0 ? damaged : batch(1, 'b', 'c', 'd')
    send(fetchResponse('log', [{ partition: 0, records: Buffer.concat([batch(0, 'a'), second]) }]))
  })
  if (times === 5) expect(await failure).toBeUndefined()
  else expect(await failure).toMatchObject({ code: 'record_batch_corrupt' })
  expect(seen).toEqual(times === 5 ? [0, 1, 2, 3] : [0])
})

test('an uncommitted reading to the end ends there', async () => {
  const fake = new FakeClient()
  const part = { from: 0, to: Number.POSITIVE_INFINITY }
  const offsets: number[] = []
  const reading = (async () => {
    for await (const { batch: found } of logBatches(fake.client, 'log', 0, part, 'read_uncommitted')) {
      offsets.push(found.baseOffset)
    }
  })()
  await answer(fake, { records: Buffer.concat([batch(0, 'a'), marker(1)]) })
  await answer(fake, {})
  await reading
  expect(offsets).toEqual([0, 1])
})
