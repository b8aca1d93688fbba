import { afterEach, expect, test } from 'bun:test'
import assert from 'node:assert'
import { LatchkeyError } from '../../lib/errors.ts'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { answer, asked, batch, start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { fetchResponse } from '../support/kafka/fakes/responses.ts'
import { until } from '../support/until.ts'

afterEach(stopFetchers)

test('Fetcher asks the new leader when the former is no longer leader', async () => {
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

test('Fetcher continues where the sink says when an offset is out of range', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const outOfRange = async (partition: number) => (partition === 0 ? 70 : undefined)
  for (const partition of [0, 1]) fake.offsets.set(partition, { earliest: 60, latest: 80 })
  start(fake, { 0: 5, 1: 5 }, { outOfRange })
  await answer(fake, { partition: 0, errorCode: 1 }, { partition: 1, errorCode: 1 })
  expect(asked((await fake.next()).request)).toEqual(['0@70'])
})

test('Fetcher retries, without asking the sink, when a broker calls a position inside the log out of range', async () => {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 0, latest: 8 })
  const { seen } = start(fake, { 0: 5 }, { outOfRange: async () => assert.fail('it is asked') })
  for (let times = 0; times < 5; times++) expect(await answer(fake, { partition: 0, errorCode: 1 })).toEqual(['0@5'])
  expect(await answer(fake, { partition: 0, records: batch(5) })).toEqual(['0@5'])
  await fake.next()
  expect(seen).toEqual(['0@5: 5'])
  expect(fake.troubles[0]).toContain('Fetching topic partition 0: the broker answered OFFSET_OUT_OF_RANGE')
})

test('Fetcher accepts that a position is past the end after three such answers in a row', async () => {
  const fake = new FakeClient()
  start(fake, { 0: 5 }, { outOfRange: async () => 0 })
  // The leader is behind, is not any more, and then it is truncated indeed.
  for (const latest of [4, 4, 5, 4, 4, 4]) {
    const exchange = await fake.next()
    expect(asked(exchange.request)).toEqual(['0@5'])
    fake.offsets.set(0, { earliest: 0, latest })
    exchange.answer(fetchResponse('topic', [{ partition: 0, errorCode: 1 }]))
  }
  expect(asked((await fake.next()).request)).toEqual(['0@0'])
})

test('Fetcher serves the others when the ends of a log that is out of range cannot be requested', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  fake.call = () => Promise.reject(unreachable())
  start(fake, { 0: 5, 1: 0 })
  await answer(fake, { partition: 0, errorCode: 1 }, { partition: 1, records: batch(0) })
  expect(await answer(fake, { partition: 1, records: batch(1) })).toEqual(['1@1'])
})

test('Fetcher continues where it was moved meanwhile, not where an offset out of range would lead', async () => {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 60, latest: 80 })
  const outOfRange = async () => {
    fetcher.seek(0, 61)
    return 70
  }
  const { fetcher } = start(fake, { 0: 5 }, { outOfRange })
  await answer(fake, { partition: 0, errorCode: 1 })
  expect(asked((await fake.next()).request)).toEqual(['0@61'])
})

test('Fetcher serves the others when one partition is removed while another is asked where to continue', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 1 })
  fake.offsets.set(0, { earliest: 60, latest: 80 })
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
  await until('it is asked for', async () => {
    again.push(...(await answer(fake, { partition: 1 })))
    return again.includes('0@5')
  })
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
