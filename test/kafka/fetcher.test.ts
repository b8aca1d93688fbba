import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { CommittedBatches } from '../../lib/kafka/committed-batches.ts'
import type { FetchOptions } from '../../lib/kafka/fetch.ts'
import { Fetcher, type FetchSink } from '../../lib/kafka/fetcher.ts'
import { FakeClient, unreachable } from './fake-client.ts'
import { rawBatch, rawRecord } from './record-batch/raw-batch.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from './responses.ts'

const options: FetchOptions = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 8000,
  partitionMaxBytes: 1000,
  isolation: 'read_committed',
  rack: '',
}

const open: Fetcher[] = []
afterEach(() => {
  for (const fetcher of open.splice(0)) fetcher.stop()
})

/** What the sink saw, in order: `partition@position: base offsets`. */
function start(fake: FakeClient, positions: Record<number, number>, sink: Partial<FetchSink> = {}) {
  const seen: string[] = []
  const batches = new CommittedBatches()
  const fetcher = new Fetcher(fake.client, 'topic', options, {
    received(fetched, position) {
      batches.open(fetched, position)
      const found: number[] = []
      while (batches.next() !== undefined) found.push(batches.batch.baseOffset)
      seen.push(`${fetched.partition}@${position}: ${found.join(' ')}`)
    },
    room: () => undefined,
    outOfRange: async () => undefined,
    ...sink,
  })
  for (const [partition, position] of Object.entries(positions)) fetcher.add(Number(partition), position)
  open.push(fetcher)
  return { fetcher, seen, running: fetcher.run() }
}

function batch(at: number, fields: Parameters<typeof rawBatch>[0] = { records: [rawRecord({})] }): Buffer {
  return rawBatch({ baseOffset: BigInt(at), ...fields })
}

/** Answers the next request, and returns what it asked for as `partition@offset`. */
async function answer(fake: FakeClient, ...answers: FetchAnswer[]): Promise<string[]> {
  const exchange = await fake.next()
  exchange.answer(fetchResponse('topic', answers))
  return asked(exchange.request)
}

function asked(request: Parameters<typeof fetchPositions>[0]): string[] {
  return fetchPositions(request).map(({ partition, offset }) => `${partition}@${offset}`)
}

test.each([
  ['records', batch(5, { lastOffsetDelta: 3, records: [rawRecord({}), rawRecord({ offsetDelta: 2 })] }), 9],
  ['a batch that compaction emptied', batch(5, { recordCount: 0, lastOffsetDelta: 40 }), 46],
  ['a control batch', batch(5, { attributes: 0x30, records: [rawRecord({ key: Buffer.alloc(4) })] }), 6],
  ['a whole batch and half of the next', Buffer.concat([batch(5), batch(6).subarray(0, 70)]), 6],
  ['half a batch only', batch(5).subarray(0, 70), 5],
  ['nothing', Buffer.alloc(0), 5],
  ['batches that begin before the position', batch(2, { recordCount: 0, lastOffsetDelta: 4 }), 7],
])('Fetcher goes on at the right offset when %s came', async (_, records, next) => {
  const fake = new FakeClient()
  start(fake, { 0: 5 })
  await answer(fake, { partition: 0, records })
  expect(asked((await fake.next()).request)).toEqual([`0@${next}`])
})

test.each([true, false])(
  'Fetcher gives the memory of a response back once a sink has seen it that keeps nothing: %p',
  async (keepsNothing) => {
    const fake = new FakeClient()
    const { seen } = start(fake, { 0: 0 }, { keepsNothing })
    const { answer: send } = await fake.next()
    const body = fetchResponse('topic', [{ partition: 0, records: batch(0) }])
    // As it lies in what came: behind its length and its correlation id.
    const received = Buffer.allocUnsafeSlow(8 + body.length)
    received.set(body, 8)
    send(received.subarray(8))
    await fake.next()
    await Bun.sleep(0)
    expect(seen).toEqual(['0@0: 0'])
    expect(received.length === 0).toBe(keepsNothing)
  },
)

test('Fetcher sends the next request before what the last one brought is worked off', async () => {
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
])('Fetcher drops what was under way when the sink %s', async (_name, goBack) => {
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

test('Fetcher puts the partition that went longest without first when a response has no room for all', async () => {
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

test('Fetcher asks the new leader when the former says that it is none', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { seen } = start(fake, { 0: 3, 1: 0 })
  const first = await fake.next()
  fake.leading.set(0, 2)
  first.answer(
    fetchResponse('topic', [
      { partition: 0, errorCode: 6 },
      { partition: 1, records: batch(0) },
    ]),
  )
  const both = [await fake.next(), await fake.next()]
  expect(both.map(({ node, request }) => [node, ...asked(request)])).toEqual([
    [1, '1@1'],
    [2, '0@3'],
  ])
  expect(seen).toEqual(['1@0: 0'])
  expect(fake.troubles).toEqual(['Fetching topic partition 0: the broker answered NOT_LEADER_OR_FOLLOWER'])
})

test('Fetcher asks for the same offset again when the connection broke', async () => {
  const fake = new FakeClient()
  const { seen } = start(fake, { 0: 0 })
  await answer(fake, { partition: 0, records: batch(0) })
  const broken = await fake.next()
  broken.fail(unreachable())
  expect(await answer(fake, { partition: 0, records: batch(1) })).toEqual(['0@1'])
  await fake.next()
  expect(seen).toEqual(['0@0: 0', '0@1: 1'])
})

test('Fetcher goes on where the sink says when an offset is out of range', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const outOfRange = async (partition: number) => (partition === 0 ? 70 : undefined)
  start(fake, { 0: 5, 1: 5 }, { outOfRange })
  await answer(fake, { partition: 0, errorCode: 1 }, { partition: 1, errorCode: 1 })
  expect(asked((await fake.next()).request)).toEqual(['0@70'])
})

test('Fetcher serves the others when one partition is removed while another is asked where to go on', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 1 })
  const { fetcher, seen, running } = start(
    fake,
    { 0: 5, 1: 0, 2: 0 },
    {
      outOfRange: async () => {
        fetcher.remove(1)
        return 70
      },
    },
  )
  running.catch(() => {})
  const records = batch(0)
  await answer(fake, { partition: 1, records }, { partition: 2, records }, { partition: 0, errorCode: 1 })
  expect(asked((await fake.next()).request).toSorted()).toEqual(['0@70', '2@1'])
  expect(seen).toEqual(['2@0: 0'])
})

test.each([
  [2, 'CORRUPT_MESSAGE'],
  [-1, 'UNKNOWN_SERVER_ERROR'],
  [29, 'TOPIC_AUTHORIZATION_FAILED'],
])('Fetcher keeps what other partitions brought when one fails with %d, %s', async (errorCode, name) => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { seen } = start(fake, { 0: 5, 1: 0 })
  await answer(fake, { partition: 0, errorCode }, { partition: 1, records: batch(0) })
  expect(await answer(fake, { partition: 1, records: batch(1) })).toEqual(['1@1'])
  expect(seen[0]).toEqual('1@0: 0')
  expect(fake.troubles).toEqual([expect.stringContaining(`Fetching topic partition 0: the broker answered ${name}`)])
  // After a pause the failing one is asked for again.
  const again: string[] = []
  while (!again.includes('0@5')) {
    await Bun.sleep(1) // lets the pause pass
    again.push(...(await answer(fake, { partition: 1 })))
  }
})

test('Fetcher asks again when the broker refuses the whole request', async () => {
  const fake = new FakeClient()
  start(fake, { 0: 5 })
  const { answer: reply } = await fake.next()
  reply(fetchResponse('topic', [], 74))
  expect(asked((await fake.next()).request)).toEqual(['0@5'])
})

test('Fetcher ends with what the sink throws', async () => {
  const fake = new FakeClient()
  const error = new LatchkeyError('memory_exhausted', 'no room')
  const { running } = start(
    fake,
    { 0: 0 },
    {
      received: () => {
        throw error
      },
    },
  )
  await answer(fake, { partition: 0, records: batch(0) })
  expect(await running.catch((thrown: unknown) => thrown)).toBe(error)
})

test('Fetcher fetches nothing more when its last partition is removed, and goes on when one is added', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { fetcher, seen } = start(fake, { 0: 0 })
  const last = await fake.next()
  fetcher.remove(0)
  last.answer(fetchResponse('topic', [{ partition: 0, records: batch(0) }]))
  fetcher.add(1, 9)
  expect(asked((await fake.next()).request)).toEqual(['1@9'])
  expect(seen).toEqual([])
})
