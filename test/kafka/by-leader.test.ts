import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { Backoff } from '../../lib/kafka/backoff.ts'
import { ByLeader } from '../../lib/kafka/by-leader.ts'
import { Patience } from '../../lib/kafka/patience.ts'
import { until } from '../until.ts'
import { FakeClient, unreachable } from './fake-client.ts'

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

/** What a loop was given to serve; it runs until the test ends it. */
interface Served {
  node: number
  partitions: number[]
  end: (error?: Error) => void
}

function start(fake: FakeClient, partitions: readonly number[]) {
  const served: Served[] = []
  const waiting: ((one: Served) => void)[] = []
  const byLeader: ByLeader = new ByLeader(fake.client, 'topic', (node) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (error?: Error) => (error ? reject(error) : resolve())
    const one = { node, partitions: byLeader.partitionsOf(node), end }
    byLeader.signal.addEventListener('abort', () => resolve())
    const next = waiting.shift()
    if (next) next(one)
    else served.push(one)
    return promise
  })
  for (const partition of partitions) byLeader.add(partition)
  open.push(byLeader)
  const next = async () => served.shift() ?? new Promise<Served>((resolve) => waiting.push(resolve))
  return { byLeader, next, running: byLeader.run() }
}

test('ByLeader runs one loop a broker when partitions are led by several', async () => {
  const { next, byLeader } = start(new FakeClient({ 0: 1, 1: 2, 2: 1 }), [0, 1, 2])
  const both = [await next(), await next()].toSorted((a, b) => a.node - b.node)
  expect(both).toMatchObject([
    { node: 1, partitions: [0, 2] },
    { node: 2, partitions: [1] },
  ])
  expect(byLeader.partitionsOf(3)).toEqual([])
})

test('ByLeader gives a partition to its new leader when the former lost it', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { next, byLeader } = start(fake, [0, 1])
  expect(await next()).toMatchObject({ node: 1, partitions: [0, 1] })
  fake.leading.set(1, 2)
  byLeader.lost(1, moved())
  expect(await next()).toMatchObject({ node: 2, partitions: [1] })
  expect(byLeader.partitionsOf(1)).toEqual([0])
})

test('ByLeader serves a partition again when its broker failed', async () => {
  const fake = new FakeClient()
  const { next } = start(fake, [0])
  const first = await next()
  first.end(unreachable())
  expect(await next()).toMatchObject({ node: 1, partitions: [0] })
  expect(fake.troubles).toEqual(['Fetch to nowhere:1: refused'])
})

test('ByLeader moves all partitions of a broker that failed to their new leaders', async () => {
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

test('ByLeader finds a leader at once for a partition when another one is paused', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const patience = fake.patience.bind(fake)
  let isFirst = true
  fake.patience = () => (isFirst ? endless() : patience())
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

test.each(['a broker fails', 'a partition is lost', 'nobody says who leads'])(
  'ByLeader pauses when %s',
  async (how) => {
    const fake = new FakeClient()
    fake.patience = endless
    let attempts = 0
    if (how === 'nobody says who leads')
      fake.leaders = () => {
        attempts++
        return Promise.reject(unreachable())
      }
    const byLeader: ByLeader = new ByLeader(fake.client, 'topic', async () => {
      attempts++
      await Bun.sleep(0)
      if (how === 'a broker fails') throw unreachable()
      byLeader.lost(0, moved())
    })
    open.push(byLeader)
    byLeader.add(0)
    void byLeader.run()
    await until('it was tried', () => attempts > 0)
    await turns()
    expect(attempts).toBe(1)
  },
)

test('ByLeader wakes a loop that runs when a partition comes to its broker', async () => {
  const fake = new FakeClient({ 0: 1, 1: 2 })
  let woken = 0
  const never = new Promise<void>(() => {})
  const byLeader: ByLeader = new ByLeader(
    fake.client,
    'topic',
    () => never,
    () => void woken++,
  )
  open.push(byLeader)
  byLeader.add(0)
  byLeader.add(1)
  void byLeader.run()
  await until('both are led', () => byLeader.partitionsOf(1).length === 1 && byLeader.partitionsOf(2).length === 1)
  fake.leading.set(1, 1)
  byLeader.lost(1, moved())
  await until('it is woken', () => woken > 0, 2_000)
  expect(byLeader.partitionsOf(1)).toEqual([0, 1])
})

test('ByLeader says which partitions fare badly, at which broker, until they are served or have nothing to do', async () => {
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

test('ByLeader tries on when an operator may mend what a broker refuses', async () => {
  const { next } = start(new FakeClient(), [0])
  const first = await next()
  first.end(new LatchkeyError('broker_refused', 'no'))
  expect(await next()).toMatchObject({ partitions: [0] })
})

test('ByLeader ends with the failure when a retry cannot mend it', async () => {
  const { next, running, byLeader } = start(new FakeClient({ 0: 1, 1: 2 }), [0, 1])
  const one = await next()
  one.end(new RangeError('a defect'))
  expect(await running.catch((error: unknown) => error)).toEqual(new RangeError('a defect'))
  expect(byLeader.stopped).toBe(true)
})

test('ByLeader waits for a leader when a partition has none', async () => {
  const fake = new FakeClient({ 0: 1 })
  const { next } = start(fake, [0, 1])
  expect(await next()).toMatchObject({ partitions: [0] })
  fake.leading.set(1, 1)
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = setInterval(() => open.length > 0 && fake.lookups > 1 && resolve(), 5)
  await promise
  clearInterval(look)
  expect(fake.troubles[0]).toContain('Finding the leader of topic partition 1')
})

test('ByLeader does not ask again and again when metadata lag behind a leader that moved', async () => {
  const fake = new FakeClient()
  let attempts = 0
  const byLeader: ByLeader = new ByLeader(fake.client, 'topic', async () => {
    attempts++
    await Bun.sleep(0) // the broker's answer
    byLeader.lost(0, moved())
  })
  byLeader.add(0)
  open.push(byLeader)
  const running = byLeader.run()
  // An upper bound only: without pauses there are thousands of attempts in this time.
  await Bun.sleep(200)
  byLeader.stop()
  await running
  expect(attempts).toBeGreaterThan(0)
  expect(attempts).toBeLessThanOrEqual(5)
})

test('ByLeader serves a partition when it is added after all others were removed', async () => {
  const { next, byLeader } = start(new FakeClient({ 0: 1, 1: 1 }), [0])
  const first = await next()
  byLeader.remove(0)
  expect(byLeader.partitionsOf(1)).toEqual([])
  first.end()
  byLeader.add(1)
  expect(await next()).toMatchObject({ node: 1, partitions: [1] })
})

test('ByLeader ends when it is stopped or its client is closed', async () => {
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

function moved(): LatchkeyError {
  return new LatchkeyError('broker_error', 'the broker answered NOT_LEADER_OR_FOLLOWER')
}

/** Longer than any test. */
function endless(): Patience {
  return new Patience(new Backoff({ firstMs: 3_600_000, maxMs: 3_600_000 }))
}

/** Whatever does not wait for time has happened by then. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}
