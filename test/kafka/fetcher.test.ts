import { afterEach, expect, test } from 'bun:test'
import { EpochTrail } from '../../lib/kafka/epoch-trail.ts'
import type { Fetcher } from '../../lib/kafka/fetcher.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { answer, asked, batch, start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { bodyOf, fetchResponse, fetchResponseById } from '../support/kafka/fakes/responses.ts'
import { rawRecord } from '../support/kafka/record-batch/raw-batch.ts'

afterEach(stopFetchers)

test.each([
  ['records', batch(5, { lastOffsetDelta: 3, records: [rawRecord({}), rawRecord({ offsetDelta: 2 })] }), 9],
  ['a batch that compaction emptied', batch(5, { recordCount: 0, lastOffsetDelta: 40 }), 46],
  ['a control batch', batch(5, { attributes: 0x30, records: [rawRecord({ key: Buffer.alloc(4) })] }), 6],
  ['a whole batch and half of the next', Buffer.concat([batch(5), batch(6).subarray(0, 70)]), 6],
  ['half a batch only', batch(5).subarray(0, 70), 5],
  ['nothing', Buffer.alloc(0), 5],
  ['batches that begin before the position', batch(2, { recordCount: 0, lastOffsetDelta: 4 }), 7],
])('Fetcher continues at the right offset when %s came', async (_, records, next) => {
  const fake = new FakeClient()
  start(fake, { 0: 5 })
  await answer(fake, { partition: 0, records })
  expect(asked((await fake.next()).request)).toEqual([`0@${next}`])
})

test.each([true, false])(
  'Fetcher releases the memory of a response once a sink that keeps nothing has seen it: %p',
  async (keepsNothing) => {
    const fake = new FakeClient()
    const { seen } = start(fake, { 0: 0 }, { keepsNothing })
    const { answer: send } = await fake.next()
    const body = fetchResponse('topic', [{ partition: 0, records: batch(0) }])
    // As it lies in what came: after its length and its correlation id.
    const received = Buffer.allocUnsafeSlow(8 + body.length)
    received.set(body, 8)
    send(received.subarray(8))
    await fake.next()
    await Bun.sleep(0)
    expect(seen).toEqual(['0@0: 0'])
    expect(received.length === 0).toBe(keepsNothing)
  },
)

test('Fetcher sends the next request before the last response is processed', async () => {
  const fake = new FakeClient()
  const unseen: number[] = []
  start(fake, { 0: 0 }, { received: () => void unseen.push(fake.unseen) })
  await answer(fake, { partition: 0, records: batch(0) })
  await fake.next()
  expect(unseen).toEqual([1])
})

test('Fetcher waits with the request after the next when the sink has no room', async () => {
  const fake = new FakeClient()
  const room = Promise.withResolvers<void>()
  const { seen } = start(fake, { 0: 0 }, { room: () => room.promise })
  await answer(fake, { partition: 0, records: batch(0) })
  await answer(fake, { partition: 0, records: batch(1) })
  await Bun.sleep(0)
  expect(seen).toEqual(['0@0: 0'])
  expect(fake.unseen).toBe(0)
  room.resolve()
  expect(asked((await fake.next()).request)).toEqual(['0@2'])
  expect(seen).toEqual(['0@0: 0', '0@1: 1'])
})

test.each([
  ['seeks', (fetcher: Fetcher) => fetcher.seek(0, 0)],
  [
    'removes the partition and adds it again',
    (fetcher: Fetcher) => {
      fetcher.remove(0)
      fetcher.add(0, 0)
    },
  ],
])('Fetcher drops pending responses when the sink %s', async (_name, goBack) => {
  const fake = new FakeClient()
  let received = 0
  const { fetcher, seen } = start(
    fake,
    { 0: 0 },
    {
      received: (_, position) => {
        seen.push(`0@${position}`)
        if (received++ === 0) goBack(fetcher)
      },
    },
  )
  expect(await answer(fake, { partition: 0, records: batch(0) })).toEqual(['0@0'])
  expect(await answer(fake, { partition: 0, records: batch(1) })).toEqual(['0@1'])
  expect(await answer(fake, { partition: 0, records: batch(0) })).toEqual(['0@0'])
  await fake.next()
  expect(seen).toEqual(['0@0', '0@0'])
})

test('Fetcher asks first for the partition that waited longest when a response has no room for all', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 1 })
  start(fake, { 0: 0, 1: 0, 2: 0 })
  expect(await answer(fake, { partition: 0, records: batch(0) }, { partition: 1 }, { partition: 2 })).toHaveLength(3)
  expect(await answer(fake, { partition: 1, records: batch(0) }, { partition: 2 }, { partition: 0 })).toEqual([
    '1@0',
    '2@0',
    '0@1',
  ])
  expect(asked((await fake.next()).request)).toEqual(['2@0', '0@1', '1@1'])
})

test('Fetcher fetches nothing more when its last partition is removed, and continues when one is added', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { fetcher, seen } = start(fake, { 0: 0 })
  const last = await fake.next()
  fetcher.remove(0)
  last.answer(fetchResponse('topic', [{ partition: 0, records: batch(0) }]))
  fetcher.add(1, 9)
  expect(asked((await fake.next()).request)).toEqual(['1@9'])
  expect(seen).toEqual([])
})

test('Fetcher asks by topic id, with the leader’s epoch, if the broker supports it', async () => {
  const fake = new FakeClient()
  fake.fetchVersionMax = 17
  fake.topicId = 'abcdefghijklmnopqrstuw'
  fake.leaderEpochs.set(0, 7)
  const { seen } = start(fake, { 0: 5 })
  const { request, answer: send } = await fake.next()
  expect(request.apiVersion).toBe(13)
  const body = bodyOf(request)
  expect(body.includes(Buffer.from(fake.topicId, 'base64url'))).toBe(true)
  const partitionAt = 1 + 4 * 4 + 1 + 4 + 4 + 1 + 16 + 1
  expect([body.readInt32BE(partitionAt), body.readInt32BE(partitionAt + 4)]).toEqual([0, 7])
  send(fetchResponseById(fake.topicId, [{ partition: 0, records: batch(5) }]))
  await fake.next()
  await Bun.sleep(0)
  expect(seen).toEqual(['0@5: 5'])
})

test('Fetcher sends the leader epoch with version 11', async () => {
  const fake = new FakeClient()
  fake.topicId = 'abcdefghijklmnopqrstuw'
  fake.leaderEpochs.set(0, 7)
  start(fake, { 0: 5 })
  const { request } = await fake.next()
  expect(request.apiVersion).toBe(11)
  expect(bodyOf(request).readInt32BE(4 * 4 + 1 + 4 + 4 + 4 + 2 + 'topic'.length + 4 + 4)).toBe(7)
})

test('Fetcher looks the leader up again when it is in another epoch, and notes the epochs of what it reads', async () => {
  const fake = new FakeClient()
  fake.leaderEpochs.set(0, 3)
  const began: number[] = []
  const { fetcher } = start(fake, {}, { epochBegan: (partition) => began.push(partition) })
  const epochs = new EpochTrail()
  fetcher.add(0, 5, epochs)
  const records = [rawRecord({})]
  await answer(fake, { partition: 0, records: batch(5, { records, leaderEpoch: 3 }) })
  expect(began).toEqual([])
  await answer(fake, { partition: 0, errorCode: 74 })
  fake.leaderEpochs.set(0, 4)
  const again = await answer(fake, { partition: 0, records: batch(6, { records, leaderEpoch: 4 }) })
  expect(again).toEqual(['0@6'])
  await fake.next()
  expect(epochs.textBefore(100)).toBe('3@5,4@6')
  expect(began).toEqual([0])
  expect(fake.lookups).toBe(2)
})
