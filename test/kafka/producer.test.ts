import { afterEach, expect, test } from 'bun:test'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { answer, NamedBatch, start, stopProducers, written } from '../support/kafka/fakes/producer-setup.ts'
import { producedBatches, produceResponse } from '../support/kafka/fakes/responses.ts'

afterEach(stopProducers)

test('Producer writes in order and counts sequences by records when batches follow each other', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, new NamedBatch('a', 3), new NamedBatch('b', 2), 'c')
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(['0: a 7:1/0'])
  expect(await answer(fake, { partition: 0, baseOffset: 3 })).toEqual(['0: b 7:1/3'])
  expect(await answer(fake, { partition: 0, baseOffset: 5 })).toEqual(['0: c 7:1/5'])
  write(0, 'd')
  await fake.next()
  expect(events).toEqual(['a of 0 at 0', 'b of 0 at 3', 'c of 0 at 5'])
})

test('Producer puts partitions of one broker into one request, one batch each', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 2 })
  const { write } = start(fake)
  write(0, 'a', 'b')
  write(1, 'c')
  write(2, 'd')
  const requests = [await fake.next(), await fake.next()].toSorted((a, b) => a.node - b.node)
  expect(requests.map(written)).toEqual([['0: a 7:1/0', '1: c 7:1/0'], ['2: d 7:1/0']])
  expect(fake.unseen).toBe(0)
})

test('Producer retries the same bytes, before anything else, when an answer was lost', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, 'a', 'b')
  const lost = await fake.next()
  lost.fail(unreachable())
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(written(lost))
  expect(await answer(fake, { partition: 0, baseOffset: 1 })).toEqual(['0: b 7:1/1'])
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at 0', 'b of 0 at 1'])
})

test.each([
  [19, 'NOT_ENOUGH_REPLICAS'],
  [6, 'NOT_LEADER_OR_FOLLOWER'],
  [7, 'REQUEST_TIMED_OUT'],
  [29, 'TOPIC_AUTHORIZATION_FAILED'],
])('Producer retries a batch at its new leader, and the others continue, after code %d, %s', async (errorCode) => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { events, write } = start(fake)
  write(0, 'a')
  write(1, 'b')
  fake.leading.set(0, 2)
  await answer(fake, { partition: 0, errorCode }, { partition: 1, baseOffset: 0 })
  write(1, 'c')
  expect(await answer(fake, { partition: 1, baseOffset: 1 })).toEqual(['1: c 7:1/1'])
  const again = await fake.next()
  expect([again.node, ...written(again)]).toEqual([2, '0: a 7:1/0'])
  again.answer(produceResponse('log', [{ partition: 0, baseOffset: 0 }]))
  write(0, 'd')
  await fake.next()
  expect(events).toEqual(['b of 1 at 0', 'c of 1 at 1', 'a of 0 at 0'])
})

test('Producer reports no trouble for a partition with nothing to write', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const over = new Set<unknown>()
  fake.health.over = (partition) => void over.add(partition)
  const { write } = start(fake)
  write(0, 'a')
  await fake.next()
  expect([...over]).toEqual([1])
})

test('Producer writes to a partition that moved to a broker whose loop sleeps', async () => {
  const fake = new FakeClient({ 0: 1, 1: 2 })
  const { write } = start(fake)
  write(0, 'a')
  write(1, 'b')
  const [first, second] = [await fake.next(), await fake.next()].toSorted((a, b) => a.node - b.node)
  second!.answer(produceResponse('log', [{ partition: 1, baseOffset: 0 }]))
  fake.leading.set(0, 2)
  first!.answer(produceResponse('log', [{ partition: 0, errorCode: 6 }]))
  const again = await fake.next()
  expect([again.node, ...written(again)]).toEqual([2, '0: a 7:1/0'])
})

test('Producer counts a batch as written when the broker reports a duplicate', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, 'a', 'b')
  await answer(fake, { partition: 0, errorCode: 46 })
  expect(await answer(fake, { partition: 0, baseOffset: 9 })).toEqual(['0: b 7:1/1'])
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at -1', 'b of 0 at 9, foreign'])
})

test('Producer writes the replacement of a refused batch, in order, before the next batch', async () => {
  const fake = new FakeClient()
  const refused = (_: number, { name }: NamedBatch) =>
    name.length > 1 ? [...name].map((part) => new NamedBatch(part)) : []
  const { events, write } = start(fake, { refused })
  write(0, 'ab', 'c')
  expect(await answer(fake, { partition: 0, errorCode: 10 })).toEqual(['0: ab 7:1/0'])
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(['0: a 7:1/0'])
  expect(await answer(fake, { partition: 0, errorCode: 87 })).toEqual(['0: b 7:1/1'])
  expect(await answer(fake, { partition: 0, baseOffset: 1 })).toEqual(['0: c 7:1/1'])
  write(0, 'd')
  await fake.next()
  expect(events).toEqual(['a of 0 at 0', 'c of 0 at 1'])
})

test('Producer splits waiting batches into bounded requests, and sends a larger batch alone', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1, 2: 1 })
  const { write } = start(fake, {}, 100)
  write(0, new NamedBatch('a', 1, 60))
  write(1, new NamedBatch('b', 1, 60))
  write(2, new NamedBatch('c', 1, 500))
  expect(await answer(fake, { partition: 0, baseOffset: 0 })).toEqual(['0: a 7:1/0'])
  expect(await answer(fake, { partition: 1, baseOffset: 0 })).toEqual(['1: b 7:1/0'])
  expect(await answer(fake, { partition: 2, baseOffset: 0 })).toEqual(['2: c 7:1/0'])
})

test('Producer serves every partition when others always have more than a request holds', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const next = (partition: number) => new NamedBatch(`p${partition}`, 1, 60)
  const { producer } = start(fake, { next }, 100)
  producer.wake()
  const seen = new Set<number>()
  for (let round = 0; round < 10; round++) {
    const exchange = await fake.next()
    const partitions = producedBatches(exchange.request).map(({ partition }) => partition)
    for (const partition of partitions) seen.add(partition)
    exchange.answer(
      produceResponse(
        'log',
        partitions.map((partition) => ({ partition, baseOffset: 0 })),
      ),
    )
  }
  expect([...seen].toSorted()).toEqual([0, 1])
})

test('Producer writes the same bytes again when an answer cannot be read or leaves the partition out', async () => {
  const fake = new FakeClient()
  const { write } = start(fake)
  write(0, 'a')
  const first = await fake.next()
  first.answer(Buffer.from([0, 0]))
  const second = await fake.next()
  second.answer(produceResponse('log', []))
  expect(written(await fake.next())).toEqual(written(first))
})

test('Producer wraps its sequence to zero when it passes 2^31 - 1', async () => {
  const fake = new FakeClient()
  const { write } = start(fake)
  write(0, new NamedBatch('a', 2 ** 31 - 1), new NamedBatch('b', 3), 'c')
  await answer(fake, { partition: 0, baseOffset: 0 })
  expect(await answer(fake, { partition: 0, baseOffset: 2 ** 31 - 1 })).toEqual([`0: b 7:1/${2 ** 31 - 1}`])
  expect(written(await fake.next())).toEqual(['0: c 7:1/2'])
})
