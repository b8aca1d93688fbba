import { afterEach, expect, test } from 'bun:test'
import { EndsWatch } from '../../lib/kafka/ends-watch.ts'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { until } from '../support/until.ts'

const open: EndsWatch<undefined>[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

/** Asked only by look(): the test ends long before its timer. */
const neverMs = 1_000_000

function start(fake: FakeClient, partitions: readonly number[]) {
  const ends = new Map<number, number>()
  const reported: number[] = []
  const watch = new EndsWatch(
    fake.client,
    'topic',
    {
      partitions: () => partitions,
      asked: () => undefined,
      ended: (partition, end) => {
        ends.set(partition, end)
        reported.push(end)
      },
    },
    { intervalMs: neverMs },
  )
  open.push(watch)
  return { watch, ends, reported }
}

test('EndsWatch reports the ends of other brokers’ partitions when one broker does not answer', async () => {
  const fake = new FakeClient({ 0: 1, 1: 2 })
  fake.offsets.set(0, { earliest: 0, latest: 7 })
  fake.offsets.set(1, { earliest: 0, latest: 9 })
  const answers = fake.call.bind(fake)
  const silent = Promise.withResolvers<unknown>()
  fake.call = (node, ...rest) => (node === 1 ? silent.promise : answers(node, ...rest))
  const { watch, ends } = start(fake, [0, 1])
  await watch.look()
  await until('the one that answers is known', () => ends.has(1))
  expect([...ends]).toEqual([[1, 9]])
  // The silent one has been asked already; the other is asked again.
  fake.offsets.set(1, { earliest: 0, latest: 12 })
  await watch.look()
  await until('it is asked again', () => ends.get(1) === 12)
  silent.reject(unreachable())
  await Bun.sleep(0)
  fake.call = answers
  await watch.look()
  await until('the other one is known', () => ends.get(0) === 7)
})

test('EndsWatch asks the new leader when a partition has moved', async () => {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 0, latest: 7 })
  const answers = fake.call.bind(fake)
  const nodes: number[] = []
  fake.call = (node, ...rest) => {
    nodes.push(node)
    if (node === 2) return answers(node, ...rest)
    return Promise.resolve({ responses: [{ partitions: [{ partition: 0, errorCode: 6, offset: '-1' }] }] })
  }
  const { watch, ends, reported } = start(fake, [0])
  await watch.look()
  fake.leading.set(0, 2)
  await until('it knows', async () => {
    await watch.look()
    return ends.get(0) === 7
  })
  expect(nodes.slice(0, 2)).toEqual([1, 2])
  // The former one's answer was none.
  expect(reported[0]).toBe(7)
})

test('EndsWatch continues when the leaders cannot be requested', async () => {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 0, latest: 7 })
  const leaders = fake.leaders.bind(fake)
  fake.leaders = () => Promise.reject(unreachable())
  const { watch, ends } = start(fake, [0])
  await watch.look()
  fake.leaders = leaders
  await watch.look()
  await until('it knows', () => ends.get(0) === 7)
})

test('EndsWatch asks the new leader of a partition before the former one has answered', async () => {
  const fake = new FakeClient({ 0: 1 })
  fake.offsets.set(0, { earliest: 0, latest: 7 })
  const answers = fake.call.bind(fake)
  fake.call = (node, ...rest) => (node === 1 ? new Promise(() => {}) : answers(node, ...rest))
  const { watch, ends } = start(fake, [0])
  await watch.look()
  fake.leading.set(0, 2)
  fake.forgetLeader('topic', 0)
  await watch.look()
  await until('it knows', () => ends.get(0) === 7)
})
