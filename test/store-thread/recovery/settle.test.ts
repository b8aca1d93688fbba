/** Where the second reading, which settles disputed keys, meets what the first one did not. */
import { expect, test } from 'bun:test'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { recover } from '../../../lib/store-thread/recovery/recovery.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { type FetchAnswer, fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { oversizedBatch, oversizedRecords } from '../../support/kafka/record-batch/oversized-batches.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

const former = { producerId: 1n, producerEpoch: 0 }
const owner = { producerId: 2n, producerEpoch: 0 }

function batch(at: number, producer: typeof former, key: string, value: string, src: number): Buffer {
  const records = [rawRecord({ key, value, headers: [['src', headerOf(src)]] })]
  return rawBatch({ baseOffset: BigInt(at), ...producer, records })
}

function marker(at: number, producer: typeof former): Buffer {
  const record = rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })
  return rawBatch({ baseOffset: BigInt(at), ...producer, attributes: 0x30, records: [record] })
}

/** Recovers a partition that ends at an offset; `values` is what memory has, the length where that is large. */
function start(latest: number) {
  const fake = new FakeClient()
  fake.isPersistent = true
  fake.offsets.set(0, { earliest: 0, latest })
  const values = new Map<string, string | number>()
  const map = {
    put(_: number, data: Buffer, keyStart: number, keyLength: number, valueStart: number, valueLength: number) {
      const value = valueLength > 10 ? valueLength : data.toString('latin1', valueStart, valueStart + valueLength)
      values.set(data.toString('latin1', keyStart, keyStart + keyLength), value)
    },
  } as unknown as ChiralMap
  const context = { client: fake.client, changelogTopic: 'log', map, stats: new Stats([0]) }
  const recovering = recover({ ...context, identityOf: () => undefined, fenceAgain: async () => {} }, [0])
  const outdated = recovering.then((found) => found.get(0)!.outdated.map(String))
  outdated.catch(() => {})
  return { fake, values, outdated }
}

async function answer(fake: FakeClient, answered: Partial<FetchAnswer>): Promise<number> {
  const exchange = await fake.next()
  exchange.answer(fetchResponse('log', [{ partition: 0, ...answered }]))
  return fetchPositions(exchange.request)[0]!.offset
}

/** Answers each Fetch with what a log has from there on. */
async function serve(fake: FakeClient, log: Buffer[], end: number, isOver: Promise<unknown>): Promise<void> {
  for (;;) {
    const exchange = await Promise.race([fake.next(), isOver.then(() => undefined)])
    if (exchange === undefined) return
    const { offset } = fetchPositions(exchange.request)[0]!
    const records = Buffer.concat(log.filter((one) => Number(one.readBigInt64BE(0)) + one.readInt32BE(23) >= offset))
    exchange.answer(fetchResponse('log', [{ partition: 0, records, lastStableOffset: end }]))
  }
}

/** Answers what recovery asks for again before it knows that it is through. */
async function answerAgain(fake: FakeClient, end: number): Promise<void> {
  expect(await answer(fake, {})).toBe(end)
}

test('keys are settled with the records of an open transaction', async () => {
  const { fake, values, outdated } = start(4)
  const first = batch(0, former, 'b', 'new', 4)
  const rest = [batch(1, former, 'a', 'new', 5), marker(2, owner), batch(3, former, 'a', 'old', 2)]
  await answer(fake, { records: Buffer.concat([first, ...rest]) })
  await answerAgain(fake, 4)
  expect(await answer(fake, { records: first })).toBe(0)
  expect(await answer(fake, { lastStableOffset: 1, highWatermark: 4 })).toBe(1)
  expect(await answer(fake, { records: Buffer.concat(rest) })).toBe(1)
  expect(await outdated).toEqual(['a'])
  expect(values.get('a')).toBe('new')
})

test('keys are settled with the records of a batch too large to decompress at once', async () => {
  const { fake, values, outdated } = start(oversizedRecords + 2)
  const late = batch(oversizedRecords + 1, former, 'key 3', 'old', 1)
  const log = [oversizedBatch(0, former), marker(oversizedRecords, owner), late]
  const serving = serve(fake, log, oversizedRecords + 2, outdated)
  expect(await outdated).toEqual(['key 3'])
  expect(values.get('key 3')).toBe(1 << 20)
  await serving
})

test('a batch that is damaged when keys are settled is reported as it is in recovery', async () => {
  const { fake, outdated } = start(4)
  const records = Buffer.concat([
    batch(0, former, 'a', 'new', 5),
    marker(1, owner),
    batch(2, former, 'a', 'old', 2),
    batch(3, owner, 'b', 'new', 6),
  ])
  await answer(fake, { records })
  await answerAgain(fake, 4)
  const damaged = Buffer.from(records)
  damaged.writeUInt8(damaged.at(-2)! ^ 0xff, damaged.length - 2)
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  void fake.serve(({ answer: send }) => send(fetchResponse('log', [{ partition: 0, records: damaged }])))
  const error = await outdated.catch((failure: unknown) => failure)
  expect(error).toMatchObject({ code: 'record_batch_corrupt' })
  expect(String(error)).toContain('Reading log partition 0: ')
  expect(String(error)).toContain('delete topic log and it is rebuilt from the source')
})
