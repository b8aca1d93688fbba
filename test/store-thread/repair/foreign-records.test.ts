import { expect, test } from 'bun:test'
import { discardOffset } from '../../../lib/store-thread/recovery/source-trail.ts'
import { foreignRecords } from '../../../lib/store-thread/repair/foreign-records.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { unheldBatch } from '../../support/kafka/record-batch/oversized-batches.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

const own = 7n
const foreign = 8n

type Entry = [key: string, value: string | null, header?: [name: 'src' | 'aft', offset: number]]

function batch(at: number, producerId: bigint, ...entries: Entry[]): Buffer {
  const records = entries.map(([key, value, header], offsetDelta) => {
    const headers = header === undefined ? [] : [[header[0], headerOf(header[1])] as const]
    return rawRecord({ offsetDelta, key, value, headers })
  })
  return rawBatch({ baseOffset: BigInt(at), producerId, producerEpoch: 0, records })
}

/** Attributes of a control batch in a transaction. */
const controlAttributes = 0x30

function marker(at: number, producerId: bigint): Buffer {
  const records = [rawRecord({ key: Buffer.from([0, 0, 0, 0]), value: Buffer.alloc(6) })]
  return rawBatch({ baseOffset: BigInt(at), attributes: controlAttributes, producerId, producerEpoch: 0, records })
}

/** What is found in a log of batches from an offset on. */
async function found(log: Buffer[], from: number, to: number, bytesMax?: number) {
  const fake = new FakeClient()
  void fake.serve(({ request, answer }) => {
    const { offset } = fetchPositions(request)[0]!
    const records = Buffer.concat(log.filter((one) => Number(one.readBigInt64BE(0)) + one.readInt32BE(23) >= offset))
    answer(fetchResponse('log', [{ partition: 0, records, lastStableOffset: to, highWatermark: to }]))
  })
  const isOwn = ({ producerId }: { producerId: number }) => producerId === Number(own)
  const markers: string[] = []
  const sink = {
    marker: ({ baseOffset }: { baseOffset: number }, isOurs: boolean) =>
      void markers.push(`${isOurs ? 'own' : 'foreign'} ${baseOffset}`),
  }
  const { records, next } = await foreignRecords(fake.client, 'log', 0, { from, to }, isOwn, sink, bytesMax)
  const lines = [...records].map(
    ([key, { order, value }]) => `${key}=${value === undefined ? 'unheld' : (value?.toString() ?? 'deleted')} ${order}`,
  )
  return { lines, next, markers }
}

test('foreignRecords finds the last foreign record of each key, and the offset to compare it by', async () => {
  const log = [
    batch(0, own, ['a', 'ours', ['src', 0]]),
    batch(1, foreign, ['a', 'first', ['src', 1]], ['b', null, ['src', 2]], ['c', 'bare'], ['d', 'put', ['aft', 3]]),
    batch(5, foreign, ['a', 'last', ['src', 0]], ['e', null, ['src', discardOffset]]),
  ]
  const { lines, next } = await found(log, 0, 7)
  expect(lines).toEqual(['a=last 0', 'b=deleted 2', 'c=bare -1', 'd=put 3.5', 'e=deleted -2'])
  expect(next).toBe(7)
})

test('foreignRecords omits keys that we wrote after it, and records before the part', async () => {
  const log = [
    batch(0, foreign, ['a', 'before'], ['b', 'theirs']),
    batch(2, foreign, ['c', 'theirs']),
    batch(3, own, ['c', 'ours', ['src', 9]]),
  ]
  expect((await found(log, 1, 4)).lines).toEqual(['b=theirs -1'])
})

test('foreignRecords stops at a whole batch when it holds enough, and continues there', async () => {
  const log = [0, 1, 2].map((at) => batch(at, foreign, [`k${at}`, 'value']))
  const first = await found(log, 0, 3, 10)
  expect(first).toMatchObject({ lines: ['k0=value -1'], next: 1 })
  expect((await found(log, first.next, 3)).lines).toEqual(['k1=value -1', 'k2=value -1'])
})

test('foreignRecords has the key of a record beyond every limit, unless we wrote it after that', async () => {
  const log = [unheldBatch(0, 'a'), unheldBatch(1, 'b'), batch(2, own, ['b', 'ours', ['src', 9]])]
  expect((await found(log, 0, 3)).lines).toEqual(['a=unheld -1'])
})

test('foreignRecords passes on whose markers it meets, which are no records', async () => {
  const log = [marker(0, own), batch(1, foreign, ['a', 'theirs']), marker(2, foreign), batch(3, own, ['b', 'ours'])]
  const { lines, markers } = await found(log, 0, 4)
  expect([lines, markers]).toEqual([['a=theirs -1'], ['own 0', 'foreign 2']])
})
