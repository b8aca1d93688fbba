/** Batches that the changelog, played by the test, accepts and refuses. */
import { afterEach, expect, test } from 'bun:test'
import { fetchResponse, producedBatches, produceResponse } from '../../support/kafka/fakes/responses.ts'
import { recordsOf } from '../../support/kafka/record-batch/written-records.ts'
import { acknowledge, feed, ingesting } from '../../support/store-thread/ingest-setup.ts'
import { soon, until } from '../../support/until.ts'

const messageTooLarge = 10

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

type Started = ReturnType<typeof start>

function start(onBadRecord: 'skip' | 'stop' = 'skip') {
  const setup = ingesting(1, undefined, onBadRecord)
  open.push(setup)
  setup.ingest.follow(0)
  return setup
}

/** Refuses or takes the next batch, and returns its records. */
async function settle({ changelog }: Started, errorCode = 0): Promise<string[]> {
  const exchange = await changelog.next()
  exchange.answer(produceResponse('changelog', [{ partition: 0, errorCode, baseOffset: -1 }]))
  return producedBatches(exchange.request)
    .flatMap(({ batch }) => recordsOf(batch))
    .map((record) => record.slice(0, 2))
}

/** The source has nothing new. */
async function feedNothing({ source }: Started): Promise<void> {
  ;(await source.next()).answer(fetchResponse('source', [{ partition: 0, lastStableOffset: 3 }]))
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
}

test('a refused batch does not count as acknowledged before its parts are', async () => {
  const setup = start()
  const { ingest, source } = setup
  await feed(source, 0, 3)
  expect(await settle(setup, messageTooLarge)).toEqual(['k0', 'k1', 'k2'])
  await feedNothing(setup)
  expect(ingest.acknowledged(0)).toBe(0)
  expect(await settle(setup)).toEqual(['k0'])
  await until('the first part is acknowledged', () => ingest.acknowledged(0) > 0)
  await feedNothing(setup)
  expect(ingest.acknowledged(0)).toBe(1)
  expect(await settle(setup)).toEqual(['k1', 'k2'])
  await until('all is acknowledged', () => ingest.acknowledged(0) === 3)
  expect(ingest.partition(0)).toMatchObject({ inFlight: 0, bytes: 0, isIdle: true })
})

test('a halted partition has acknowledged what was before the record, and nothing after it', async () => {
  const setup = start('stop')
  const { ingest, source, changelog } = setup
  await feed(source, 0, 3)
  await settle(setup, messageTooLarge)
  expect(await settle(setup)).toEqual(['k0'])
  expect(await settle(setup, messageTooLarge)).toEqual(['k1', 'k2'])
  // Alone, then compressed.
  for (let attempt = 0; attempt < 2; attempt++) expect(await settle(setup, messageTooLarge)).toEqual(['k1'])
  await until('it halts', () => ingest.partition(0)?.reading.halted !== undefined)
  expect(ingest.partition(0)).toMatchObject({ consumed: 1, acknowledged: 1, inFlight: 0, bytes: 0, isIdle: true })
  await feedNothing(setup)
  expect([ingest.acknowledged(0), changelog.unseen]).toEqual([1, 0])
  await soon('a flush', ingest.drained())
})

test('only acknowledged records are in memory', async () => {
  const { source, changelog, flusher, stats, text } = start()
  await feed(source, 0, 1)
  await until('it is read', () => stats.count('recordsConsumed') === 1)
  await flusher.flush()
  expect(text('k0')).toBeUndefined()
  await acknowledge(changelog)
  await until('it is counted', () => stats.count('changelogRecords') === 1)
  await flusher.flush()
  expect(text('k0')).toBe('xxx')
})
