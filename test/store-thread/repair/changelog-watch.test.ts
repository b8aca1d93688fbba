import { afterEach, expect, test } from 'bun:test'
import type { TopicListener } from '../../../lib/kafka/topic-view.ts'
import { ChangelogWatch } from '../../../lib/store-thread/repair/changelog-watch.ts'
import { FakeClient, unreachable } from '../../support/kafka/fakes/fake-client.ts'
import { until } from '../../support/until.ts'

const open: ChangelogWatch[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

/** Asked only by look(): the test ends long before its timer. */
const neverMs = 1_000_000

function start(fake: FakeClient, written: Record<number, number>) {
  const said: string[] = []
  let listener: TopicListener | undefined
  fake.topics.watch = (_, given) => {
    listener = given
    return () => (listener = undefined)
  }
  for (const partition of Object.keys(written)) fake.offsets.set(Number(partition), { earliest: 0, latest: 10 })
  const watch = new ChangelogWatch(
    fake.client,
    'changelog',
    {
      partitions: () => Object.keys(written).map(Number),
      written: (partition) => written[partition]!,
      endsEarly: (partition) => said.push(`${partition} ends early`),
      endsLate: (partition, { from, to }) => said.push(`${partition} ends late, ${from} to ${to}`),
      recreated: () => said.push('recreated'),
      elected: (partition) => said.push(`${partition} elected`),
    },
    neverMs,
  )
  open.push(watch)
  return { watch, said, topic: () => listener }
}

test('ChangelogWatch reports partitions that end below or above what was written before the request', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 2 })
  const { watch, said } = start(fake, { 0: 10, 1: 11, 2: 9 })
  await watch.look()
  await until('two were said', () => said.length > 1)
  expect(said.toSorted()).toEqual(['1 ends early', '2 ends late, 9 to 10'])
})

test('ChangelogWatch does not count what was acknowledged while it asked', async () => {
  const fake = new FakeClient({ 0: 1 })
  const written = { 0: 10 }
  const { watch, said } = start(fake, written)
  const answers = fake.call.bind(fake)
  const held = Promise.withResolvers<void>()
  let asked = 0
  fake.call = async (...args) => {
    asked++
    const answer = await answers(...args)
    await held.promise
    return answer
  }
  await watch.look()
  await until('it has asked', () => asked === 1)
  written[0] = 15
  held.resolve()
  await watch.look()
  await until('it asks again', async () => {
    await watch.look()
    return asked === 2
  })
  await until('what is missing now is said', () => said.length > 0)
  expect(said).toEqual(['0 ends early'])
})

test('ChangelogWatch asks the other brokers when one does not answer, and continues after failures', async () => {
  const fake = new FakeClient({ 0: 1, 1: 2 })
  const { watch, said } = start(fake, { 0: 11, 1: 11 })
  const answers = fake.call.bind(fake)
  fake.call = (node, ...rest) => (node === 1 ? new Promise(() => {}) : answers(node, ...rest))
  await watch.look()
  await until('the other one answers', () => said.length === 1)
  fake.call = (node, ...rest) => (node === 1 ? answers(node, ...rest) : Promise.reject(unreachable()))
  await watch.look()
  fake.call = answers
  await until('the other one is asked again', async () => {
    await watch.look()
    return said.length > 1
  })
  expect(new Set(said)).toEqual(new Set(['1 ends early']))
})

test('ChangelogWatch reports what the metadata show, until it is stopped', () => {
  const { watch, said, topic } = start(new FakeClient(), { 0: 1 })
  topic()!.recreated!('new', 'old')
  topic()!.elected!(3, 7)
  expect(said).toEqual(['recreated', '3 elected'])
  watch.stop()
  expect(topic()).toBeUndefined()
})
