/** What an ingest reads of a source that is the test, and when. */
import { afterEach, expect, test } from 'bun:test'
import { recordsOf } from '../../kafka/written-records.ts'
import { fetchPositions, fetchResponse, producedBatches } from '../../kafka/responses.ts'
import { WriteFrame } from '../../../lib/store/handle/write-frame.ts'
import { until } from '../../until.ts'
import { feed, ingesting } from './ingesting.ts'

const offsetOutOfRange = 1

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start() {
  const setup = ingesting(1)
  open.push(setup)
  setup.ingest.follow(0)
  return setup
}

test('a partition that stands still at a record is read on from there once that is ready, and not before', async () => {
  const { ingest, source } = start()
  const ready = Promise.withResolvers<void>()
  const one = ingest.partition(0)!
  one.waiting = ready.promise
  await feed(source, 0, 3)
  // Sent before what came was worked off: nothing of its answer counts.
  await feed(source, 0, 3)
  await until('it was worked off', () => one.consumed === 3)
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(source.unseen).toBe(0)
  ready.resolve()
  expect(fetchPositions((await source.next()).request)).toMatchObject([{ partition: 0, offset: 3 }])
})

test('what comes after records that the source has removed says so', async () => {
  const { ingest, source, changelog, events } = start()
  source.offsets.set(0, { earliest: 20, latest: 30 })
  Object.assign(events, { hasSourceChanged: async () => false, outOfRange: async () => 20 })
  ;(await source.next()).answer(fetchResponse('source', [{ partition: 0, errorCode: offsetOutOfRange }]))
  expect(fetchPositions((await source.next()).request)).toMatchObject([{ partition: 0, offset: 20 }])
  const frame = new WriteFrame()
  frame.append(Buffer.from('mine'), Buffer.from('value'))
  ingest.write(0, { records: frame.take(), timestamp: 1 })
  expect(producedBatches((await changelog.next()).request).flatMap(({ batch }) => recordsOf(batch))).toEqual([
    'mine=value src=-1 aft=19',
  ])
})

test('nothing is read on where the source is not any more what it was', async () => {
  const { source, events } = start()
  source.offsets.set(0, { earliest: 20, latest: 30 })
  Object.assign(events, { hasSourceChanged: async () => true, outOfRange: () => expect.unreachable() })
  ;(await source.next()).answer(fetchResponse('source', [{ partition: 0, errorCode: offsetOutOfRange }]))
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(source.unseen).toBe(0)
})

test('before anything is written it is asked whether this process stood still', async () => {
  const { source, changelog, events } = start()
  let asked = 0
  Object.assign(events, { beforeWrite: () => asked++ })
  await feed(source, 0, 3)
  const exchange = await changelog.next()
  expect(asked).toBeGreaterThan(0)
  expect(producedBatches(exchange.request)).toHaveLength(1)
})
