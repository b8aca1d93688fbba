/** What is read of a changelog for followers: each key once, and nothing where the log does not have all offsets. */
import { expect, test } from 'bun:test'
import { KeysCursor, type KeysPart } from '../../../lib/store-protocol/changed-keys.ts'
import { hasOffsets, readKeysPart } from '../../../lib/store-thread/changes/keys-part.ts'
import { FakeClient, unreachable } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

function batch(at: number, ...entries: [key: string, value: string | null][]): Buffer {
  const records = entries.map(([key, value], offsetDelta) => rawRecord({ offsetDelta, key, value }))
  return rawBatch({ baseOffset: BigInt(at), records })
}

function start({ earliest = 0, latest = 100 } = {}) {
  const fake = new FakeClient()
  fake.isPersistent = true
  fake.offsets.set(0, { earliest, latest })
  const answer = async (...batches: Buffer[]) => {
    const exchange = await fake.next()
    exchange.answer(fetchResponse('log', [{ partition: 0, records: Buffer.concat(batches) }]))
    return fetchPositions(exchange.request)[0]!.offset
  }
  const read = (from: number, to: number, keyBytes = 1 << 20) =>
    readKeysPart(fake.client, 'log', 0, { from, to }, { keyBytes, fetchedBytes: 1 << 20 })
  return { fake, answer, read }
}

function keysOf(part: Pick<KeysPart, 'records'> | undefined): [string, number][] {
  const cursor = new KeysCursor(part as KeysPart)
  const keys: [string, number][] = []
  while (cursor.next()) {
    const key = cursor.data.toString('utf8', cursor.keyStart, cursor.keyStart + cursor.keyLength)
    keys.push([key, cursor.changelogOffset])
  }
  return keys
}

test('a part has each key once, at its last record, deletions included', async () => {
  const { answer, read } = start()
  const reading = read(1, 7)
  expect(await answer(batch(0, ['before', '1'], ['a', '1'], ['b', '1'], ['a', null]))).toBe(1)
  await answer(batch(4, ['c', '1'], ['', '2'], ['b', null], ['after', '1']))
  const part = await reading
  expect([part?.from, part?.to]).toEqual([1, 7])
  expect(keysOf(part)).toEqual([
    ['a', 3],
    ['c', 4],
    ['', 5],
    ['b', 6],
  ])
})

test('a part ends with the batch that has enough keys, and the next one begins there', async () => {
  const { answer, read } = start()
  const reading = read(0, 8, 1)
  await answer(batch(0, ['a', '1'], ['b', '1']), batch(2, ['c', '1']))
  const part = await reading
  expect([part?.to, keysOf(part).length]).toEqual([2, 2])
  const next = read(2, 8, 1)
  expect(await answer(batch(2, ['c', '1']))).toBe(2)
  expect(keysOf(await next)).toEqual([['c', 2]])
})

test('a part up to an end whose records were removed by compaction is whole', async () => {
  const { fake, answer, read } = start()
  const reading = read(0, 8)
  await answer(batch(0, ['a', '1']))
  const exchange = await fake.next()
  exchange.answer(fetchResponse('log', [{ partition: 0, lastStableOffset: 100, highWatermark: 100 }]))
  expect((await reading)?.to).toBe(8)
})

test('there is no part where the log has lost offsets at its start', async () => {
  const { fake, answer, read } = start()
  const reading = read(0, 2)
  fake.offsets.set(0, { earliest: 1, latest: 100 })
  await answer(batch(1, ['a', '1']))
  expect(await reading).toBeUndefined()
})

test('there is no part where the log ends before it', async () => {
  const { fake, read } = start({ latest: 5 })
  const reading = read(0, 8)
  const exchange = await fake.next()
  exchange.answer(fetchResponse('log', [{ partition: 0, lastStableOffset: 5, highWatermark: 5 }]))
  expect(await reading).toBeUndefined()
  expect(await hasOffsets(fake.client, 'log', 0, { from: 5, to: 5 })).toBe(true)
  expect(await hasOffsets(fake.client, 'log', 0, { from: 6, to: 6 })).toBe(false)
})

test('an end that a new leader does not know yet is waited for', async () => {
  const { fake, answer, read } = start({ latest: 5 })
  const reading = read(0, 8)
  fake.health.failed = () => void fake.offsets.set(0, { earliest: 0, latest: 8 })
  await answer(batch(0, ['a', '1'], ['b', '1']), batch(7, ['c', '1']))
  expect(keysOf(await reading).length).toBe(3)
})

test('a fetch that fails is repeated', async () => {
  const { fake, answer, read } = start()
  const reading = read(0, 1)
  ;(await fake.next()).fail(unreachable())
  await answer(batch(0, ['a', '1']))
  expect(keysOf(await reading)).toEqual([['a', 0]])
})
