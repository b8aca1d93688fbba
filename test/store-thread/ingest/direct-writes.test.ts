/** Records that a program writes itself, on their way to a changelog that is the test. */
import { afterEach, expect, test } from 'bun:test'
import { WriteFrame } from '../../../lib/store-protocol/write-frame.ts'
import { producedBatches, produceResponse } from '../../support/kafka/fakes/responses.ts'
import { recordsOf } from '../../support/kafka/record-batch/written-records.ts'
import { acknowledge, feed, ingesting } from '../../support/store-thread/ingest-setup.ts'
import { soon, until } from '../../support/until.ts'

const invalidProducerEpoch = 47
const messageTooLarge = 10

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start() {
  const setup = ingesting(1)
  open.push(setup)
  setup.ingest.follow(0)
  const write = (...keys: string[]) => {
    const frame = new WriteFrame()
    for (const key of keys) frame.append(Buffer.from(key), Buffer.from('mine'))
    setup.ingest.write(0, { records: frame.contents(), timestamp: 1 })
  }
  return { ...setup, write }
}

/** The records that the next Produce writes, which is acknowledged. */
async function written({ changelog }: ReturnType<typeof start>): Promise<string[]> {
  const exchange = await changelog.next()
  const batches = producedBatches(exchange.request)
  exchange.answer(produceResponse('changelog', [{ partition: 0, baseOffset: -1 }]))
  return recordsOf(batches[0]!.batch)
}

test('a record that a program writes has the source offset read before it, acknowledged or not', async () => {
  const setup = start()
  const { source, stats, write } = setup
  write('before')
  expect(await written(setup)).toEqual(['before=mine src=-1 aft=-1'])
  await feed(source, 0, 3)
  await until('it is read', () => stats.count('recordsConsumed') === 3)
  write('mine')
  const all = [...(await written(setup)), ...(await written(setup))]
  expect(all).toEqual(['k0=xxx src=0 aft=-1', 'k1=xxx src=1 aft=-1', 'k2=xxx src=2 aft=-1', 'mine=mine src=-1 aft=2'])
})

test('a write of a program resolves once the changelog has acknowledged it, and a flush waits for that', async () => {
  const { ingest, changelog, posted, write, text, flusher } = start()
  write('a', 'b')
  const first = await changelog.next()
  write('c')
  const drained = ingest.drained()
  expect(posted).toEqual([])
  first.answer(produceResponse('changelog', [{ partition: 0, baseOffset: -1 }]))
  const second = await changelog.next()
  expect(posted).toHaveLength(1)
  second.answer(produceResponse('changelog', [{ partition: 0, baseOffset: -1 }]))
  await soon('the flush', drained)
  expect(posted).toEqual([
    { type: 'written', partition: 0, count: 2 },
    { type: 'written', partition: 0, count: 1 },
  ])
  await flusher.flush()
  expect(['a', 'b', 'c'].map((key) => text(key))).toEqual(['mine', 'mine', 'mine'])
})

test('every write of a program rejects when its partition is lost, later ones too', async () => {
  const { ingest, changelog, posted, lost, write } = start()
  write('a', 'b')
  write('c')
  const drained = ingest.drained()
  await acknowledge(changelog, { 0: invalidProducerEpoch })
  await soon('the flush', drained)
  expect(lost).toEqual([0])
  write('d')
  const refused = (count: number) => ({
    type: 'write-refused',
    partition: 0,
    count,
    error: { code: 'fenced', message: expect.stringContaining('another instance') },
  })
  expect(posted).toMatchObject([refused(3), refused(1)])
})

test('a write of a program rejects when the changelog refuses it in every form', async () => {
  const { ingest, changelog, posted, write } = start()
  write('a')
  const drained = ingest.drained()
  // As it is, then compressed.
  for (let attempt = 0; attempt < 2; attempt++) await acknowledge(changelog, { 0: messageTooLarge })
  await soon('the flush', drained)
  expect(posted).toMatchObject([{ type: 'write-refused', partition: 0, count: 1, error: { code: 'entry_too_large' } }])
})
