import { afterEach, expect, test } from 'bun:test'
import { LeaderLoops } from '../../lib/kafka/leader-loops.ts'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { endless, moved, start, stopLater, stopServing, turns } from '../support/kafka/fakes/leader-loops-setup.ts'
import { until } from '../support/until.ts'

afterEach(stopServing)

test('LeaderLoops finds a leader at once for a partition when another one is paused', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const retryPolicy = fake.retryPolicy.bind(fake)
  let isFirst = true
  fake.retryPolicy = () => (isFirst ? endless() : retryPolicy())
  const { next, byLeader } = start(fake, [])
  byLeader.add(0)
  isFirst = false
  byLeader.add(1)
  await next()
  byLeader.lost(0, moved())
  await turns()
  fake.leading.set(1, 2)
  byLeader.lost(1, moved())
  expect(await next()).toMatchObject({ node: 2, partitions: [1] })
  expect(byLeader.partitionsOf(1)).toEqual([])
})

test.each(['a broker fails', 'a partition is lost', 'the leader is unknown'])(
  'LeaderLoops pauses when %s',
  async (how) => {
    const fake = new FakeClient()
    fake.retryPolicy = endless
    let attempts = 0
    if (how === 'the leader is unknown') {
      fake.leaders = () => {
        attempts++
        return Promise.reject(unreachable())
      }
    }
    const byLeader: LeaderLoops = new LeaderLoops(fake.client, 'topic', async () => {
      attempts++
      await Bun.sleep(0)
      if (how === 'a broker fails') throw unreachable()
      byLeader.lost(0, moved())
    })
    stopLater(byLeader)
    byLeader.add(0)
    void byLeader.run()
    await until('it was tried', () => attempts > 0)
    await turns()
    expect(attempts).toBe(1)
  },
)

test('LeaderLoops reports partitions with trouble, and their broker, until they are served or have nothing to do', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 1 })
  const events: string[] = []
  fake.health.failed = (_, { partitions, broker } = {}) => void events.push(`${partitions} fail at ${broker}`)
  fake.health.succeeded = (partition) => void events.push(`${String(partition)} works`)
  fake.health.over = (partition) => void events.push(`${String(partition)} is over`)
  const { next, byLeader } = start(fake, [0, 1, 2])
  const first = await next()
  first.end(unreachable())
  await next()
  byLeader.succeeded(0)
  byLeader.idle(1)
  byLeader.remove(2)
  expect(events).toEqual(['0,1,2 fail at b1:9092', '0 works', '1 is over', '2 is over'])
})

test('LeaderLoops pauses for the shortest time again when a partition was served', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const resets: number[] = []
  let added = 0
  fake.retryPolicy = () => {
    const [retryPolicy, partition] = [endless(), added++]
    retryPolicy.reset = () => void resets.push(partition)
    return retryPolicy
  }
  const { byLeader } = start(fake, [0, 1])
  byLeader.succeeded(1)
  expect(resets).toEqual([1])
})

test('LeaderLoops does not ask repeatedly when metadata lag behind a leader that moved', async () => {
  const fake = new FakeClient()
  let attempts = 0
  const byLeader: LeaderLoops = new LeaderLoops(fake.client, 'topic', async () => {
    attempts++
    await Bun.sleep(0) // the broker's answer
    byLeader.lost(0, moved())
  })
  byLeader.add(0)
  stopLater(byLeader)
  const running = byLeader.run()
  // An upper bound only: without pauses there are thousands of attempts in this time.
  await Bun.sleep(200)
  byLeader.stop()
  await running
  expect(attempts).toBeGreaterThan(0)
  expect(attempts).toBeLessThanOrEqual(5)
})
