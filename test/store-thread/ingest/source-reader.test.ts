/** What an ingest reads of a source that is the test, and when. */
import { afterEach, expect, test } from 'bun:test'
import { WriteFrame } from '../../../lib/store-protocol/write-frame.ts'
import { fetchPositions, fetchResponse, producedBatches, produceResponse } from '../../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { recordsOf } from '../../support/kafka/record-batch/written-records.ts'
import { feed, ingesting } from '../../support/store-thread/ingest-setup.ts'
import { until } from '../../support/until.ts'

const offsetOutOfRange = 1

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start(onBadRecord?: 'skip' | 'stop') {
  const setup = ingesting(1, undefined, onBadRecord)
  open.push(setup)
  setup.ingest.follow(0)
  return setup
}

test('a partition that waits at a record is read from there once the record is ready, and not before', async () => {
  const { ingest, source } = start()
  const ready = Promise.withResolvers<void>()
  const one = ingest.partition(0)!
  one.reading.waitFor(ready.promise)
  await feed(source, 0, 3)
  // Sent before what came was worked off: nothing of its answer counts.
  await feed(source, 0, 3)
  await until('it was worked off', () => one.consumed === 3)
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(source.unseen).toBe(0)
  ready.resolve()
  expect(fetchPositions((await source.next()).request)).toMatchObject([{ partition: 0, offset: 3 }])
})

test('the first record after removed ones is marked', async () => {
  const { ingest, source, changelog, events } = start()
  source.offsets.set(0, { earliest: 20, latest: 30 })
  Object.assign(events, { hasSourceChanged: async () => false, outOfRange: async () => 20 })
  ;(await source.next()).answer(fetchResponse('source', [{ partition: 0, errorCode: offsetOutOfRange }]))
  expect(fetchPositions((await source.next()).request)).toMatchObject([{ partition: 0, offset: 20 }])
  const frame = new WriteFrame()
  frame.append(Buffer.from('mine'), Buffer.from('value'))
  ingest.write(0, { records: frame.contents(), timestamp: 1 })
  expect(producedBatches((await changelog.next()).request).flatMap(({ batch }) => recordsOf(batch))).toEqual([
    'mine=value src=-1 aft=19',
  ])
})

/** Batches of one record at offsets 0 to 2, of which the second one always comes damaged. */
function serveDamaged(source: ReturnType<typeof start>['source']): number[] {
  const batches = [0, 1, 2].map((at) => rawBatch({ baseOffset: BigInt(at), records: [rawRecord({ key: `k${at}` })] }))
  const second = batches[1]!
  second.writeUInt8(second.at(-1)! ^ 1, second.length - 1)
  const offsets: number[] = []
  source.retryBackoff = { firstMs: 1, maxMs: 1 }
  void source.serve(({ request, answer }) => {
    const [{ offset } = { offset: 0 }] = fetchPositions(request)
    offsets.push(offset)
    const records = Buffer.concat(batches.slice(offset))
    // A broker waits where there is nothing.
    setTimeout(answer, records.length === 0 ? 5 : 0, fetchResponse('source', [{ partition: 0, records }]))
  })
  return offsets
}

test('records before a damaged batch are written at once, and those after it when it counts as damaged in the log', async () => {
  const { source, changelog, stats } = start()
  serveDamaged(source)
  const written: string[] = []
  for (let request = 0; request < 2; request++) {
    const { request: produce, answer } = await changelog.next()
    const found = producedBatches(produce)
    written.push(...found.flatMap(({ batch }) => recordsOf(batch)))
    answer(produceResponse('changelog', [{ partition: 0, baseOffset: request }]))
  }
  expect(written).toEqual(['k0=value src=0 aft=-1', 'k2=value src=2 aft=-1'])
  expect(stats.count('skippedCorruptBatch')).toBe(1)
})

test('a partition halts at a batch damaged in the log with ON_BAD_RECORD=stop', async () => {
  const { ingest, source, stats, events } = start('stop')
  const halted: number[] = []
  Object.assign(events, { halted: (_: number, { offset }: { offset: number }) => void halted.push(offset) })
  const offsets = serveDamaged(source)
  await until('it halts', () => halted.length > 0)
  expect([halted, ingest.partition(0)?.consumed, stats.count('skippedCorruptBatch')]).toEqual([[1], 1, 0])
  expect(offsets.filter((offset) => offset === 1)).toHaveLength(9)
})

test('nothing more is read after the source has changed', async () => {
  const { source, events } = start()
  source.offsets.set(0, { earliest: 20, latest: 30 })
  Object.assign(events, { hasSourceChanged: async () => true, outOfRange: () => expect.unreachable() })
  ;(await source.next()).answer(fetchResponse('source', [{ partition: 0, errorCode: offsetOutOfRange }]))
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate)
  expect(source.unseen).toBe(0)
})

test('every write first checks whether the process was suspended', async () => {
  const { source, changelog, events } = start()
  let asked = 0
  Object.assign(events, { beforeWrite: () => asked++ })
  await feed(source, 0, 3)
  const exchange = await changelog.next()
  expect(asked).toBeGreaterThan(0)
  expect(producedBatches(exchange.request)).toHaveLength(1)
})
