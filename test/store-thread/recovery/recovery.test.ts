import { expect, test } from 'bun:test'
import type { ProducerIdentity } from '../../../lib/kafka/transactional-id.ts'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { RecoveryContext } from '../../../lib/store-thread/recovery/recovery-sink.ts'
import { recover } from '../../../lib/store-thread/recovery/recovery.ts'
import { discardOffset } from '../../../lib/store-thread/recovery/source-trail.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { counted } from '../../support/store-thread/stand-ins.ts'
import { until } from '../../support/until.ts'

const owner: ProducerIdentity = { producerId: 7, producerEpoch: 3 }

function start(log: { earliest?: number; latest: number }, context: Partial<RecoveryContext> = {}, window?: number) {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 0, ...log })
  const put: string[] = []
  const map = {
    put: (_: number, data: Buffer, at: number, length: number) =>
      void put.push(data.toString('latin1', at, at + length)),
  } as unknown as ChiralMap
  const stats = new Stats([0])
  const recovering = recover(
    {
      client: fake.client,
      changelogTopic: 'log',
      map,
      stats,
      identityOf: () => owner,
      fenceAgain: async () => {},
      ...context,
    },
    [0],
    window,
  )
  return { fake, put, stats, recovering }
}

/** Answers the next Fetch; returns the offset that it asked for. */
async function answer(fake: FakeClient, ...batches: Buffer[]): Promise<number> {
  const exchange = await fake.next()
  exchange.answer(fetchResponse('log', [{ partition: 0, records: Buffer.concat(batches) }]))
  return fetchPositions(exchange.request)[0]!.offset
}

function records(at: number, ...keys: (string | [string, number])[]): Buffer {
  const encoded = keys.map((one, offsetDelta) => {
    const [key, src] = typeof one === 'string' ? [one] : one
    return rawRecord({ offsetDelta, key, headers: src === undefined ? [] : [['src', headerOf(src)]] })
  })
  return rawBatch({ baseOffset: BigInt(at), producerId: 7n, producerEpoch: 2, records: encoded })
}

/** Records that a user wrote, each after a source offset. */
function written(at: number, ...keys: [string, number][]): Buffer {
  const encoded = keys.map(([key, after], offsetDelta) => {
    return rawRecord({ offsetDelta, key, headers: [['aft', headerOf(after)]] })
  })
  return rawBatch({ baseOffset: BigInt(at), producerId: 7n, producerEpoch: 2, records: encoded })
}

function marker(at: number, producerEpoch = owner.producerEpoch, producerId = owner.producerId): Buffer {
  const record = rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })
  const fields = { producerId: BigInt(producerId), producerEpoch, attributes: 0x30, records: [record] }
  return rawBatch({ baseOffset: BigInt(at), ...fields })
}

test('recover reads up to its own marker, past those of others, regardless of the end at start', async () => {
  const { fake, put, stats, recovering } = start({ latest: 3 })
  await answer(fake, marker(0, 9, 1), marker(1, 2), records(2, ['a', 10], ['b', 12]))
  expect(await answer(fake, records(4, ['c', 11]), marker(5), records(6, 'later'))).toBe(4)
  expect(await recovering).toEqual(
    new Map([
      [
        0,
        {
          records: 3,
          changelogStart: 0,
          changelogEnd: 6,
          isEndSure: true,
          last: { offset: 12, key: Buffer.from('b'), timestamp: 0 },
          after: -1,
          discardedAt: -1,
          owners: { owner, hasMarker: true, followed: ['1 9', '7 2'] },
          clock: expect.anything(),
          restored: undefined,
          outdated: [],
        },
      ],
    ]),
  )
  expect(put).toEqual(['a', 'b', 'c'])
  expect(counted(stats)).toMatchObject({ recordsRecovered: 3 })
  expect(stats.count('controlBatches')).toBe(0)
  expect([stats.gauge(0, 'recoveryPosition'), stats.gauge(0, 'recoveryEnd')]).toEqual([6, 6])
})

test('recover moves past batches that compaction has emptied', async () => {
  const { fake, put, recovering } = start({ latest: 100 })
  const emptied = rawBatch({ baseOffset: 0n, lastOffsetDelta: 89, recordCount: 0, producerId: 7n, producerEpoch: 1 })
  await answer(fake, emptied)
  expect(await answer(fake, records(95, 'a'), marker(99))).toBe(90)
  expect((await recovering).get(0)).toMatchObject({ records: 1, changelogEnd: 100, last: undefined })
  expect(put).toEqual(['a'])
})

test('recover begins at the log start, and says where that was', async () => {
  const { fake, recovering } = start({ earliest: 40, latest: 50 })
  expect(await answer(fake, marker(49))).toBe(40)
  expect((await recovering).get(0)).toMatchObject({ records: 0, changelogStart: 40, changelogEnd: 50 })
})

test('recover continues at the new log start when that passes it', async () => {
  const { fake, recovering } = start({ earliest: 0, latest: 50 })
  fake.offsets.set(0, { earliest: 30, latest: 50 })
  const { answer: reply } = await fake.next()
  reply(fetchResponse('log', [{ partition: 0, errorCode: 1 }]))
  expect(await answer(fake, marker(49))).toBe(30)
  expect((await recovering).get(0)).toMatchObject({ changelogStart: 30 })
})

test('recover reports where a former source was discarded', async () => {
  const { fake, recovering } = start({ latest: 50 })
  await answer(fake, records(0, ['a', 90]), records(1, ['a', discardOffset]), records(2, ['b', 4]), marker(3))
  expect((await recovering).get(0)).toMatchObject({ discardedAt: 1, last: { offset: 4 } })
})

test('recover begins near the end when only a window is requested', async () => {
  const { fake, recovering } = start({ latest: 5000 }, {}, 1000)
  expect(await answer(fake, records(4998, ['a', 3]), marker(4999))).toBe(4000)
  expect((await recovering).get(0)).toMatchObject({ changelogStart: 0, last: { offset: 3 } })
})

test('recover ends at the end of the log at start when there is no fence', async () => {
  const { fake, recovering } = start({ latest: 3 }, { identityOf: () => undefined })
  await answer(fake, records(0, 'a'))
  await answer(fake, marker(1), records(2, 'b'), records(3, 'later'))
  expect((await recovering).get(0)).toMatchObject({ records: 3, changelogEnd: 4, isEndSure: false })
})

test('recover asks for nothing when there is no fence and the log is empty', async () => {
  const { recovering } = start({ earliest: 7, latest: 7 }, { identityOf: () => undefined })
  expect((await recovering).get(0)).toMatchObject({ records: 0, changelogStart: 7, changelogEnd: 7 })
})

function damaged(at: number, key: string): Buffer {
  const bytes = records(at, key)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 0xff, bytes.length - 2)
  return bytes
}

test('recover has all of the changelog, and nothing twice, when a batch comes damaged for a while', async () => {
  const { fake, put, recovering } = start({ latest: 3 })
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  expect(await answer(fake, records(0, 'a'), damaged(1, 'b'))).toBe(0)
  // Was sent before the damage was seen.
  await answer(fake)
  for (let times = 1; times < 9; times++) {
    expect(await answer(fake, damaged(1, 'b'))).toBe(1)
    await answer(fake)
  }
  expect(await answer(fake, records(1, 'b'), marker(2))).toBe(1)
  expect((await recovering).get(0)).toMatchObject({ records: 2, changelogEnd: 3 })
  expect(put).toEqual(['a', 'b'])
})

test('recover fails with advice when a batch is damaged every time', async () => {
  const { fake, recovering } = start({ latest: 3 })
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  const failure = recovering.catch((error: unknown) => error)
  void fake.serve(({ answer: send }) => send(fetchResponse('log', [{ partition: 0, records: damaged(0, 'a') }])))
  const error = await failure
  expect(String(error)).toContain(', in 10 fetches; ')
  expect(error).toMatchObject({ code: 'record_batch_corrupt' })
  expect(String(error)).toContain('Reading log partition 0: ')
  expect(String(error)).toContain('delete topic log and it is rebuilt from the source')
})

test('recover ends as stopping when its client is closed', async () => {
  const { fake, recovering } = start({ latest: 3 })
  const failure = recovering.catch((error: unknown) => error)
  const { fail } = await fake.next()
  fake.close()
  fail(new Error('closed'))
  expect(await failure).toMatchObject({ code: 'stopping' })
})

test('recover takes a partition again, and ends with the last identity, when its marker was lost', async () => {
  let identity = owner
  let fences = 0
  const fenced = Promise.withResolvers<void>()
  const fenceAgain = async () => {
    fences++
    await fenced.promise
    identity = { ...owner, producerEpoch: owner.producerEpoch + 1 }
  }
  const { fake, recovering } = start({ latest: 2 }, { identityOf: () => identity, fenceAgain })
  await answer(fake, records(0, 'a', 'b'))
  const waiting = await fake.next()
  await until('it takes the partition again', () => fences === 1)
  // The marker is read before the fence is answered.
  waiting.answer(fetchResponse('log', [{ partition: 0, records: marker(2, owner.producerEpoch + 1) }]))
  const ended = recovering.then((recovered) => ({ ...recovered.get(0), identity }))
  await Bun.sleep(0)
  fenced.resolve()
  expect(await ended).toMatchObject({ changelogEnd: 3, isEndSure: true, identity: { producerEpoch: 4 } })
  expect(fences).toBe(1)
})

test('recover reports how far the source was read when compaction has left only records of a user', async () => {
  const { fake, put, recovering } = start({ latest: 9 })
  await answer(fake, written(3, ['a', 40], ['b', 70]), written(8, ['c', 60]), marker(9))
  expect((await recovering).get(0)).toMatchObject({ records: 3, last: undefined, after: 70 })
  expect(put).toEqual(['a', 'b', 'c'])
})
