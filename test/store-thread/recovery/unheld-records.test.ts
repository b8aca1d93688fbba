/** Records in the changelog that no store has written, since none can hold them. */
import { expect, test } from 'bun:test'
import type { ProducerIdentity } from '../../../lib/kafka/transactional-id.ts'
import type { ChiralMap } from '../../../lib/map/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { openBatches } from '../../../lib/store-thread/recovery/log-batches.ts'
import { recover } from '../../../lib/store-thread/recovery/recovery.ts'
import { UnheldKeys } from '../../../lib/store-thread/recovery/unheld-records.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { unheldBatch } from '../../support/kafka/record-batch/oversized-batches.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

const owner = { producerId: 7, producerEpoch: 1 }

function held(at: number, key: string): Buffer {
  return rawBatch({ baseOffset: BigInt(at), producerId: 7n, producerEpoch: 1, records: [rawRecord({ key })] })
}

function marker(at: number): Buffer {
  const record = rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })
  return rawBatch({ baseOffset: BigInt(at), producerId: 7n, producerEpoch: 1, attributes: 0x30, records: [record] })
}

/** A client whose log has these batches. */
function logOf(...batches: Buffer[]): FakeClient {
  const fake = new FakeClient()
  fake.offsets.set(0, { earliest: 0, latest: batches.length })
  void fake.serve(({ request, answer }) => {
    const { offset } = fetchPositions(request)[0]!
    const records = Buffer.concat(batches.slice(offset))
    answer(fetchResponse('log', [{ partition: 0, records, lastStableOffset: batches.length }]))
  })
  return fake
}

async function recovered(identity: ProducerIdentity | undefined, withMap: boolean, ...batches: Buffer[]) {
  const { client } = logOf(...batches)
  const put: string[] = []
  const map = {
    put: (_: number, data: Buffer, at: number, length: number) =>
      void put.push(data.toString('latin1', at, at + length)),
  } as unknown as ChiralMap
  const stats = new Stats([0])
  const context = { client, changelogTopic: 'log', map: withMap ? map : undefined, stats }
  const found = await recover({ ...context, identityOf: () => identity, fenceAgain: async () => {} }, [0])
  const { outdated, changelogEnd } = found.get(0)!
  return { put, outdated: outdated.map(String), changelogEnd, foreign: stats.count('foreignWrites') }
}

test.each([
  ['its own marker', owner, [held(0, 'a'), unheldBatch(1, 'a'), held(2, 'b'), marker(3)], ['a', 'b'], 3],
  ['the end that the log had', undefined, [held(0, 'a'), held(1, 'b'), unheldBatch(2, 'a')], ['a', 'b'], 3],
] as const)(
  'recovery skips a record beyond every limit, up to %s, and writes its key again',
  async (_, identity, batches, put, changelogEnd) => {
    const found = await recovered(identity, true, ...batches)
    expect(found).toEqual({
      put: [...put],
      outdated: ['a'],
      changelogEnd: changelogEnd + (identity ? 1 : 0),
      foreign: 1,
    })
  },
)

test('recovery without a map has nothing to write again', async () => {
  const found = await recovered(owner, false, held(0, 'a'), unheldBatch(1, 'a'), marker(2))
  expect(found).toMatchObject({ outdated: [], foreign: 1 })
})

test('a part of a log is read past a record beyond every limit, which is reported', async () => {
  const { client } = logOf(held(0, 'a'), unheldBatch(1, 'huge'), held(2, 'b'))
  const seen: unknown[] = []
  const unheld = (fault: Error, next: number, key: Buffer | undefined) => seen.push([fault.message, next, String(key)])
  for await (const batch of openBatches(client, 'log', 0, { from: 0, to: 3 }, { unheld })) seen.push(batch.baseOffset)
  expect(seen).toEqual([0, [expect.stringContaining('Reading the record at offset 1: it has'), 2, 'huge'], 2])
})

test('UnheldKeys has each key once, and no more than memory may hold', () => {
  const keys = new UnheldKeys()
  for (const key of ['a', 'b', 'a']) keys.add(Buffer.from(key))
  keys.add(undefined)
  expect(keys.joined([Buffer.from('b'), Buffer.from('c')]).map(String)).toEqual(['a', 'b', 'c'])
  const many = new UnheldKeys()
  for (let i = 0; i < 300; i++) many.add(Buffer.alloc(65_536, `${i} `))
  expect(many.joined([])).toHaveLength(256)
})
