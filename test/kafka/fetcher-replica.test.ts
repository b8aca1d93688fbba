/** Fetching from a replica that the leader names (KIP-392). */
import { afterEach, expect, test } from 'bun:test'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { asked, batch, start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from '../support/kafka/fakes/responses.ts'

afterEach(stopFetchers)

/** Answers the next request; returns whom it went to and what it asked for. */
async function answerOf(fake: FakeClient, ...answers: FetchAnswer[]): Promise<string> {
  const exchange = await fake.next()
  exchange.answer(fetchResponse('topic', answers))
  return `${exchange.node}: ${asked(exchange.request).toSorted().join(' ')}`
}

test('a partition is fetched from the replica that its leader names, the others still from their leader', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { seen } = start(fake, { 0: 5, 1: 7 })
  expect(await answerOf(fake, { partition: 0, preferredReadReplica: 2 }, { partition: 1 })).toBe('1: 0@5 1@7')
  const [one, other] = [await fake.next(), await fake.next()].toSorted((a, b) => a.node - b.node)
  expect([one!.node, fetchPositions(one!.request)[0]!.partition]).toEqual([1, 1])
  expect([other!.node, fetchPositions(other!.request)[0]!.partition]).toEqual([2, 0])
  other!.answer(fetchResponse('topic', [{ partition: 0, records: batch(5) }]))
  expect(await answerOf(fake, { partition: 0 })).toBe('2: 0@6')
  expect(seen).toContain('0@5: 5')
})

test.each<[string, FetchAnswer]>([
  ['that the offset is out of range, which resets nothing', { partition: 0, errorCode: 1 }],
  ['that it does not know the offset yet', { partition: 0, errorCode: 78 }],
  ['that it is no replica any more', { partition: 0, errorCode: 6 }],
])('a partition goes back to its leader when the replica says %s', async (_what, said) => {
  const fake = new FakeClient()
  const resets: number[] = []
  const outOfRange = async (_partition: number, position: number) => {
    resets.push(position)
    return 0
  }
  start(fake, { 0: 5 }, { outOfRange })
  expect(await answerOf(fake, { partition: 0, preferredReadReplica: 2 })).toBe('1: 0@5')
  expect(await answerOf(fake, said)).toBe('2: 0@5')
  expect(await answerOf(fake, { partition: 0 })).toBe('1: 0@5')
  expect(resets).toEqual([])
})

test('a partition goes back to its leader when the replica cannot be reached', async () => {
  const fake = new FakeClient()
  start(fake, { 0: 5 })
  await answerOf(fake, { partition: 0, preferredReadReplica: 2 })
  const lost = await fake.next()
  expect(lost.node).toBe(2)
  lost.fail(unreachable())
  expect(await answerOf(fake, { partition: 0 })).toBe('1: 0@5')
})

test('the leader is asked again after the time limit for a replica', async () => {
  const fake = new FakeClient()
  fake.metadataMaxAgeMs = 30
  start(fake, { 0: 5 })
  await answerOf(fake, { partition: 0, preferredReadReplica: 2 })
  const held = await fake.next()
  expect(held.node).toBe(2)
  await Bun.sleep(40)
  held.answer(fetchResponse('topic', [{ partition: 0 }]))
  expect(await answerOf(fake, { partition: 0 })).toBe('1: 0@5')
})

test('an unknown replica is not used', async () => {
  const fake = new FakeClient()
  start(fake, { 0: 5 })
  await answerOf(fake, { partition: 0, preferredReadReplica: 100 })
  expect(await answerOf(fake, { partition: 0 })).toBe('1: 0@5')
})
