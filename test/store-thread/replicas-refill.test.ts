/** A replica whose changelog does not have any more what it read, over brokers that are the test. */
import { afterEach, expect, test } from 'bun:test'
import { fetchPositions, fetchResponse } from '../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { startReplica, stopReplicas } from '../support/store-thread/replica-setup.ts'
import { soon, until } from '../support/until.ts'

afterEach(stopReplicas)

test('a replica that has to fill again does not count as running before it has', async () => {
  const { replicas, state, fill, recreate, text, publish } = startReplica()
  await fill(0, 'old', 'old')
  await soon('it is filled', replicas.filled)
  expect([state(), text('k1')]).toEqual(['running', 'old'])
  await recreate(50, 52)
  await until('it is noticed', () => state() !== 'running')
  expect(state()).toBe('recovering')
  await fill(50, 'new')
  // Nothing of it is in memory before it is filled, neither of the former changelog nor of the new one.
  expect([text('k0'), text('k1')]).toEqual([undefined, undefined])
  await new Promise(setImmediate)
  expect(state()).toBe('recovering')
  await fill(51, 'new')
  await until('it is filled again', () => state() === 'running')
  await publish()
  // Each of the two records is one of k0.
  expect([text('k0'), text('k1')]).toEqual(['new', undefined])
})

test('a replica that has to fill again before it was seen as filled does not count as running', async () => {
  const { replicas, state, fill, recreate, hold } = startReplica()
  const flushed = hold()
  await fill(0, 'old', 'old')
  let isFilled = false
  void replicas.filled.then(() => (isFilled = true))
  await recreate(50, 52)
  await until('it is noticed', () => state() === 'recovering')
  flushed()
  await new Promise(setImmediate)
  expect([state(), isFilled]).toEqual(['recovering', false])
  await fill(50, 'new', 'new')
  await soon('it is filled', replicas.filled)
  expect(state()).toBe('running')
})

test('a replica reads nothing while memory is full, and continues where it was', async () => {
  const { replicas, state, fill, holdMemory, fake, text, publish } = startReplica()
  await fill(0, 'old', 'old')
  await soon('it is filled', replicas.filled)
  holdMemory()
  // The Fetch that was sent before is answered, and its record is not taken.
  await fill(2, 'not taken')
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(fake.unseen).toBe(0)
  holdMemory(false)
  const next = await fake.next()
  expect(fetchPositions(next.request)).toMatchObject([{ partition: 0, offset: 2 }])
  const records = rawBatch({ baseOffset: 2n, records: [rawRecord({ key: 'k0', value: 'new' })] })
  next.answer(fetchResponse('changelog', [{ partition: 0, records, lastStableOffset: 3, highWatermark: 3 }]))
  await fake.next()
  await publish()
  expect([state(), text('k0')]).toEqual(['running', 'new'])
})
