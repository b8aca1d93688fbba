import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { LeaderLoops } from '../../lib/kafka/leader-loops.ts'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { moved, start, stopLater, stopServing } from '../support/kafka/fakes/leader-loops-setup.ts'
import { until } from '../support/until.ts'

afterEach(stopServing)

test('LeaderLoops runs one loop a broker when partitions are led by several', async () => {
  const { next, byLeader } = start(new FakeClient({ 0: 1, 1: 2, 2: 1 }), [0, 1, 2])
  const both = [await next(), await next()].toSorted((a, b) => a.node - b.node)
  expect(both).toMatchObject([
    { node: 1, partitions: [0, 2] },
    { node: 2, partitions: [1] },
  ])
  expect(byLeader.partitionsOf(3)).toEqual([])
})

test('LeaderLoops gives a partition to its new leader when the former lost it', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { next, byLeader } = start(fake, [0, 1])
  expect(await next()).toMatchObject({ node: 1, partitions: [0, 1] })
  fake.leading.set(1, 2)
  byLeader.lost(1, moved())
  expect(await next()).toMatchObject({ node: 2, partitions: [1] })
  expect(byLeader.partitionsOf(1)).toEqual([0])
})

test('LeaderLoops serves a partition again when its broker failed', async () => {
  const fake = new FakeClient()
  const { next } = start(fake, [0])
  const first = await next()
  first.end(unreachable())
  expect(await next()).toMatchObject({ node: 1, partitions: [0] })
  expect(fake.troubles).toEqual(['Fetch to nowhere:1: refused'])
})

test('LeaderLoops moves all partitions of a broker that failed to their new leaders', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 2 })
  const { next, byLeader } = start(fake, [0, 1, 2])
  const [first] = [await next(), await next()].toSorted((a, b) => a.node - b.node)
  fake.leading.set(0, 2)
  fake.leading.set(1, 3)
  first!.end(unreachable())
  expect(await next()).toMatchObject({ node: 3, partitions: [1] })
  expect(byLeader.partitionsOf(2)).toEqual([0, 2])
  expect(byLeader.partitionsOf(1)).toEqual([])
})

test('LeaderLoops wakes a loop that runs when a partition comes to its broker', async () => {
  const fake = new FakeClient({ 0: 1, 1: 2 })
  let woken = 0
  const never = new Promise<void>(() => {})
  const byLeader: LeaderLoops = new LeaderLoops(
    fake.client,
    'topic',
    () => never,
    () => void woken++,
  )
  stopLater(byLeader)
  byLeader.add(0)
  byLeader.add(1)
  void byLeader.run()
  await until('both are led', () => byLeader.partitionsOf(1).length === 1 && byLeader.partitionsOf(2).length === 1)
  fake.leading.set(1, 1)
  byLeader.lost(1, moved())
  await until('it is woken', () => woken > 0)
  expect(byLeader.partitionsOf(1)).toEqual([0, 1])
})

test('LeaderLoops retries a refusal that an operator may mend', async () => {
  const { next } = start(new FakeClient(), [0])
  const first = await next()
  first.end(new LatchkeyError('broker_refused', 'no'))
  expect(await next()).toMatchObject({ partitions: [0] })
})

test('LeaderLoops ends with an error that is not retriable', async () => {
  const { next, running, byLeader } = start(new FakeClient({ 0: 1, 1: 2 }), [0, 1])
  const one = await next()
  one.end(new RangeError('a defect'))
  expect(await running.catch((error: unknown) => error)).toEqual(new RangeError('a defect'))
  expect(byLeader.stopped).toBe(true)
})

test('LeaderLoops waits for a leader when a partition has none', async () => {
  const fake = new FakeClient({ 0: 1 })
  const { next } = start(fake, [0, 1])
  expect(await next()).toMatchObject({ partitions: [0] })
  fake.leading.set(1, 1)
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = setInterval(() => fake.lookups > 1 && resolve(), 5)
  await promise
  clearInterval(look)
  expect(fake.troubles[0]).toContain('Finding the leader of topic partition 1')
})

test('LeaderLoops serves a partition when it is added after all others were removed', async () => {
  const { next, byLeader } = start(new FakeClient({ 0: 1, 1: 1 }), [0])
  const first = await next()
  byLeader.remove(0)
  expect(byLeader.partitionsOf(1)).toEqual([])
  first.end()
  byLeader.add(1)
  expect(await next()).toMatchObject({ node: 1, partitions: [1] })
})

test('LeaderLoops ends when it is stopped or its client is closed', async () => {
  const stopped = start(new FakeClient(), [0])
  await stopped.next()
  stopped.byLeader.stop()
  expect(stopped.byLeader.partitionsOf(1)).toEqual([])
  expect(await stopped.running).toBeUndefined()

  const fake = new FakeClient()
  const closed = start(fake, [0])
  await closed.next()
  fake.close()
  expect(await closed.running).toBeUndefined()
})
