import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { setEnd, watchEnds } from '../../lib/store-thread/ends.ts'
import { replicaLag } from '../../lib/store/partition-status.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { startReplica, stopReplicas } from '../support/store-thread/replica-setup.ts'
import { until } from '../support/until.ts'

const now = 1_700_000_000_000
afterEach(() => {
  setSystemTime()
  stopReplicas()
})

test('the end of a partition is requested only when it is not fetched', async () => {
  setSystemTime(now)
  const fake = new FakeClient({ 0: 1, 1: 1 })
  fake.offsets.set(0, { earliest: 0, latest: 70 })
  fake.offsets.set(1, { earliest: 0, latest: 90 })
  const stats = new Stats([0, 1])
  setEnd(stats, 0, { end: 5, askedAt: now })
  setSystemTime(now + 1_000)
  setEnd(stats, 1, { end: 6, askedAt: now + 1_000 })
  setSystemTime(now + 2_500)
  const watch = watchEnds(fake.client, 'topic', [0, 1], stats, 1_000_000)
  await watch.look()
  await until('the end is known', () => stats.gauge(0, 'end') === 70)
  expect(stats.gauge(1, 'end')).toBe(6)
  watch.stop()
})

test('an answer older than the last Fetch does not count', async () => {
  setSystemTime(now)
  const fake = new FakeClient({ 0: 1 })
  const answer = Promise.withResolvers<unknown>()
  fake.call = () => answer.promise
  const stats = new Stats([0])
  const watch = watchEnds(fake.client, 'topic', [0], stats, 1_000_000)
  await watch.look()
  setSystemTime(now + 10)
  setEnd(stats, 0, { end: 12, askedAt: now + 10 })
  answer.resolve({ responses: [{ partitions: [{ partition: 0, errorCode: 0, offset: '11' }] }] })
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  expect(stats.gauge(0, 'end')).toBe(12)
  watch.stop()
})

test('an end that was asked for earlier replaces none that was asked for later, unless the clock was set back', () => {
  setSystemTime(now + 20_000)
  const stats = new Stats([0])
  const known = () => [stats.gauge(0, 'end'), stats.gauge(0, 'endKnownAt') - now]
  setEnd(stats, 0, { end: 12, askedAt: now + 19_000 })
  // Of a Fetch that a frozen broker answers behind a later request on another connection.
  setEnd(stats, 0, { end: 11, askedAt: now })
  expect(known()).toEqual([12, 19_000])
  setSystemTime(now + 5_000)
  setEnd(stats, 0, { end: 13, askedAt: now + 4_000 })
  expect(known()).toEqual([13, 4_000])
})

test('an answer for a partition that has left meanwhile does not count', async () => {
  setSystemTime(now)
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const answer = Promise.withResolvers<unknown>()
  fake.call = () => answer.promise
  const stats = new Stats([0, 1])
  const partitions = [0, 1]
  const watch = watchEnds(fake.client, 'topic', partitions, stats, 1_000_000)
  await watch.look()
  partitions.shift()
  const found = [0, 1].map((partition) => ({ partition, errorCode: 0, offset: '11' }))
  answer.resolve({ responses: [{ partitions: found }] })
  await until('the other one is known', () => stats.gauge(1, 'end') === 11)
  expect(stats.gauge(0, 'end')).toBe(-1)
  watch.stop()
})

test('an end is as old as the request, because the process may have been stopped before it took the answer', async () => {
  setSystemTime(now)
  const { stats, fill } = startReplica()
  await fill(0, 'a', 'b')
  await until('both are read', () => stats.gauge(0, 'position') === 2)
  setSystemTime(now + 30_000)
  await fill(2, 'c')
  await until('it is read', () => stats.gauge(0, 'position') === 3)
  expect(replicaLag(stats, 0)).toBeNull()
  await fill(3, 'd')
  await until('the next is read', () => stats.gauge(0, 'position') === 4)
  expect(replicaLag(stats, 0)).toBe(0)
})
