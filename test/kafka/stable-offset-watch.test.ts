/** What a client's health says of transactions that another producer leaves open in what is fetched. */
import { afterAll, afterEach, beforeEach, expect, setSystemTime, test } from 'bun:test'
import { Health } from '../../lib/kafka/connection/health.ts'
import type { FetchedPartition } from '../../lib/kafka/protocol/fetch.ts'
import { StableOffsetWatch } from '../../lib/kafka/stable-offset-watch.ts'
import type { Isolation } from '../../lib/store-protocol/client-config.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { answer, start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { until } from '../support/until.ts'

const began = 1_700_000_000_000
const open = { partition: 0, lastStableOffset: 5, highWatermark: 9 }
const idle = { partition: 1, lastStableOffset: 9, highWatermark: 9 }

let fake: FakeClient
let health: Health
beforeEach(() => {
  setSystemTime(began)
  fake = new FakeClient({ 0: 1, 1: 1 })
  health = new Health('source consumer')
  Object.assign(fake, { health })
})
afterEach(stopFetchers)
afterEach(() => health.stop())
afterAll(() => void setSystemTime())

/** Answers one Fetch at this time. Returns the partitions with trouble a second later, which is when it is shown. */
async function fetchedAt(ms: number, ...answers: Parameters<typeof answer>[1][]): Promise<number[]> {
  setSystemTime(began + ms)
  await answer(fake, ...answers)
  await until('the answer was heard', () => fake.unseen > 0)
  setSystemTime(began + ms + 1_000)
  return health.partitionTroubles.map(({ partition }) => partition)
}

/** Answers Fetches until the transaction that is open in partition 0 is a trouble. */
async function startHeld(): Promise<ReturnType<typeof start>> {
  const started = start(fake, { 0: 5, 1: 9 })
  for (const ms of [0, 60_000]) await fetchedAt(ms, open, idle)
  return started
}

test('a transaction that hides records for a minute is a trouble of its partition, with its offset, until it ends', async () => {
  start(fake, { 0: 5, 1: 9 })
  expect(await fetchedAt(0, open, idle)).toEqual([])
  expect(await fetchedAt(59_500, open, idle)).toEqual([])
  expect(await fetchedAt(60_000, open, idle)).toEqual([0])
  expect(await fetchedAt(61_500, open, idle)).toEqual([0])
  const { message, client } = health.partitionTroubles[0]!
  expect(client).toBe('source consumer')
  expect(message).toBe(
    'Reading topic partition 0 at offset 5: a transaction that another producer has begun there is not ended. The broker ends it after its timeout; end one that hangs with kafka-transactions.sh',
  )
  expect(await fetchedAt(63_000, { ...open, lastStableOffset: 9 }, idle)).toEqual([])
})

test('transactions that follow each other are no trouble, although one is always open', async () => {
  start(fake, { 0: 5 })
  for (let at = 0; at < 5; at++) {
    const found = await fetchedAt(at * 59_000, { partition: 0, lastStableOffset: 5 + at, highWatermark: 9 + at })
    expect(found).toEqual([])
  }
})

test('the trouble ends when the partition is not fetched any more', async () => {
  const { fetcher } = await startHeld()
  expect(health.partitionTroubles).toMatchObject([{ partition: 0 }])
  fetcher.remove(0)
  expect(health.partitionTroubles).toEqual([])
})

test('the trouble ends when nothing is fetched any more', async () => {
  const { fetcher } = await startHeld()
  expect(health.partitionTroubles).toMatchObject([{ partition: 0 }])
  fetcher.stop()
  expect(health.partitionTroubles).toEqual([])
})

test.each<[Isolation, number]>([
  ['read_committed', 1],
  ['read_uncommitted', 0],
])('a reader of %s has %p troubles', (isolation, count) => {
  const watch = new StableOffsetWatch(fake.client, 'topic', isolation, new AbortController().signal)
  for (const ms of [0, 60_000]) {
    setSystemTime(began + ms)
    watch.heard(open as FetchedPartition)
  }
  setSystemTime(began + 61_000)
  expect(health.partitionTroubles).toHaveLength(count)
})
