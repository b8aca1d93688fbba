import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import type { ProducerIdentity } from '../../lib/kafka/transactional-id.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { answer, NamedBatch, start, stopProducers, written } from '../support/kafka/fakes/producer-setup.ts'
import { produceResponse } from '../support/kafka/fakes/responses.ts'
import { until } from '../support/until.ts'

afterEach(stopProducers)

const taken = () => Promise.reject(new LatchkeyError('fenced', 'taken'))

test.each([47, 90])(
  'Producer gives up a partition, and only that, when it cannot take it again after code %d',
  async (code) => {
    const fake = new FakeClient({ 0: 1, 1: 1 })
    const { producer, events, write } = start(fake, { renew: taken })
    write(0, 'a', 'b')
    write(1, 'c')
    await answer(fake, { partition: 0, errorCode: code }, { partition: 1, baseOffset: 0 })
    write(0, 'd')
    write(1, 'e')
    expect(await answer(fake, { partition: 1, baseOffset: 1 })).toEqual(['1: e 7:1/1'])
    expect(producer.identity(0)).toBeUndefined()
    expect(events.toSorted()).toEqual(['c of 1 at 0', 'e of 1 at 1', 'lost 0: fenced'])
  },
)

test('Producer retries a batch when its epoch was refused and no other instance has the partition', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, 'a', 'b')
  await answer(fake, { partition: 0, errorCode: 47 })
  expect(await answer(fake, { partition: 0, baseOffset: 1 })).toEqual(['0: a 7:2/0'])
  expect(await answer(fake, { partition: 0, baseOffset: 2 })).toEqual(['0: b 7:2/1'])
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at 1, foreign', 'b of 0 at 2'])
})

test.each([45, 59])('Producer takes a partition again when code %d says that its sequence is unknown', async (code) => {
  const fake = new FakeClient()
  const { events, write, producer } = start(fake)
  write(0, 'a', 'b')
  await answer(fake, { partition: 0, baseOffset: 0 })
  await answer(fake, { partition: 0, errorCode: code })
  expect(await answer(fake, { partition: 0, baseOffset: 2 })).toEqual(['0: b 7:2/0'])
  expect(producer.identity(0)).toEqual({ producerId: 7, producerEpoch: 2 })
  write(0, 'c')
  expect(written(await fake.next())).toEqual(['0: c 7:2/1'])
  // The marker of the new epoch lies between the two: perhaps more than that.
  expect(events).toEqual(['a of 0 at 0', 'b of 0 at 2, foreign'])
})

test('Producer gives up a partition when taking it again finds another owner', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake, { renew: taken })
  write(0, 'a')
  await answer(fake, { partition: 0, errorCode: 45 })
  await until('it is reported', () => events.length > 0)
  expect(events).toEqual(['lost 0: fenced'])
})

test('Producer takes partitions again between two batches on request', async () => {
  const fake = new FakeClient()
  const { producer, write } = start(fake)
  write(0, 'a', 'b')
  const first = await fake.next()
  void producer.renew(0)
  first.answer(produceResponse('log', [{ partition: 0, baseOffset: 0 }]))
  expect(written(first)).toEqual(['0: a 7:1/0'])
  expect(written(await fake.next())).toEqual(['0: b 7:2/0'])
})

test('Producer reports a foreign writer when a batch does not land where the last one ended', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const { producer, events, write } = start(fake)
  producer.own(1, { producerId: 7, producerEpoch: 1 }, { offset: -1, isSure: false })
  write(0, 'a')
  write(1, 'x')
  await answer(fake, { partition: 0, baseOffset: 5 }, { partition: 1, baseOffset: 90 })
  write(0, 'b')
  write(1, 'y')
  await answer(fake, { partition: 0, baseOffset: 6 }, { partition: 1, baseOffset: 92 })
  write(0, 'c')
  await fake.next()
  expect(events).toEqual(['a of 0 at 5, foreign', 'x of 1 at 90', 'b of 0 at 6', 'y of 1 at 92, foreign'])
})

test('Producer takes a partition again before its next batch when one has landed below the written end', async () => {
  const fake = new FakeClient()
  const { events, write } = start(fake)
  write(0, new NamedBatch('a', 3), 'b')
  await answer(fake, { partition: 0, baseOffset: 10 })
  await answer(fake, { partition: 0, baseOffset: 0 })
  expect(events).toEqual(['a of 0 at 10, foreign', '0 went back to 0', 'b of 0 at 0'])
  write(0, 'c')
  expect(written(await fake.next())).toEqual(['0: c 7:2/0'])
})

test('Producer writes nothing more to a partition that could not be taken again, until it is owned again', async () => {
  const fake = new FakeClient()
  const withdrawn: string[] = []
  const { producer, events, write } = start(fake, {
    renew: async (partition) => {
      withdrawn.push(...producer.withdraw(partition).map(({ name }) => name))
      return undefined
    },
  })
  write(0, 'a')
  await answer(fake, { partition: 0, errorCode: 45 })
  await until('the partition was to be taken', () => withdrawn.length === 1)
  expect(fake.unseen).toBe(0)
  producer.own(0, { producerId: 7, producerEpoch: 3 }, { offset: 4, isSure: false })
  write(0, 'b')
  expect(await answer(fake, { partition: 0, baseOffset: 9 })).toEqual(['0: b 7:3/0'])
  expect([withdrawn, events]).toEqual([['a'], ['b of 0 at 9, foreign']])
})

test.each([
  ['before a batch', undefined],
  ['since the broker has forgotten the producer', 59],
  ['since the broker says that its epoch is another one’s', 47],
])('Producer writes the other partitions while one is taken again, %s', async (_why, errorCode) => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const coming = Promise.withResolvers<{ producerId: number; producerEpoch: number }>()
  const { producer, events, write } = start(fake, {
    renew: async (partition) => (partition === 0 ? coming.promise : { producerId: 7, producerEpoch: 1 }),
  })
  write(0, 'a')
  write(1, 'b')
  if (errorCode === undefined) {
    await answer(fake, { partition: 0, baseOffset: 0 }, { partition: 1, baseOffset: 0 })
    producer.renewAll()
    write(0, 'c')
  } else await answer(fake, { partition: 0, errorCode }, { partition: 1, baseOffset: 0 })
  write(1, 'd')
  expect(await answer(fake, { partition: 1, baseOffset: 1 })).toEqual([expect.stringContaining('1: d')])
  coming.resolve({ producerId: 7, producerEpoch: 2 })
  expect(await answer(fake, { partition: 0, baseOffset: 9 })).toEqual([
    `0: ${errorCode === undefined ? 'c' : 'a'} 7:2/0`,
  ])
  write(1, 'e')
  await fake.next()
  expect(events).toContain('d of 1 at 1')
})

test('Producer fences a partition once more when that was requested while it was being fenced', async () => {
  const fake = new FakeClient()
  const granted: (() => void)[] = []
  const renew = async (_: number, held: ProducerIdentity) => {
    await new Promise<void>((resolve) => granted.push(resolve))
    return { ...held, producerEpoch: held.producerEpoch + 1 }
  }
  const { producer, write } = start(fake, { renew })
  const first = producer.renew(0)
  await until('it is being taken', () => granted.length === 1)
  const second = producer.renew(0)
  write(0, 'a')
  granted[0]!()
  await first
  await until('it is being taken again', () => granted.length === 2)
  expect(fake.unseen).toBe(0)
  granted[1]!()
  await second
  expect(written(await fake.next())).toEqual(['0: a 7:3/0'])
})

test('Producer ignores the answer for a batch of a partition that was given up and taken again meanwhile', async () => {
  const fake = new FakeClient()
  const { producer, events, write } = start(fake)
  write(0, 'a')
  const first = await fake.next()
  expect(producer.disown(0)).toBe(0)
  producer.own(0, { producerId: 7, producerEpoch: 2 }, { offset: 5, isSure: true })
  write(0, 'b')
  first.answer(produceResponse('log', [{ partition: 0, baseOffset: 3 }]))
  expect(await answer(fake, { partition: 0, baseOffset: 5 })).toEqual(['0: b 7:2/0'])
  await until('it is acknowledged', () => events.length > 0)
  expect(events).toEqual(['b of 0 at 5'])
  expect(producer.endOffset(0)).toBe(6)
})
