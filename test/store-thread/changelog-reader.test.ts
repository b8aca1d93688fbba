import { afterEach, expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { type ChangelogPosition, ChangelogReader, type ChangelogSink } from '../../lib/store-thread/changelog-reader.ts'
import { plainFetch } from '../../lib/topics/clients.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../support/kafka/fakes/responses.ts'
import { rawBatch, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { until } from '../support/until.ts'

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start(given: Partial<ChangelogSink<ChangelogPosition>> = {}) {
  const fake = new FakeClient()
  const stats = new Stats([0])
  const reached: ChangelogPosition = { position: 3 }
  const seen: string[] = []
  const reader = new ChangelogReader(fake.client, 'log', plainFetch, stats, new Map([[0, reached]]))
  open.push(reader)
  reader.add(0)
  const running = reader.run({
    records(_, { position }, batch) {
      let count = 0
      while (batch.nextRecord()) if (batch.offset >= position) count++
      seen.push(`${count} records from ${position}`)
      return count
    },
    control: () => false,
    progressed: (_, { position }) => void seen.push(`at ${position}`),
    room: () => undefined,
    outOfRange: async () => 0,
    ...given,
  })
  running.catch(() => {})
  const answer = async (...batches: Buffer[]) => {
    const exchange = await fake.next()
    exchange.answer(fetchResponse('log', [{ partition: 0, records: Buffer.concat(batches) }]))
    return fetchPositions(exchange.request)[0]!.offset
  }
  return { fake, stats, reached, seen, reader, running, answer }
}

function batchOf(baseOffset: number, count: number): Buffer {
  const records = Array.from({ length: count }, (_, offsetDelta) => rawRecord({ offsetDelta, key: `k${offsetDelta}` }))
  return rawBatch({ baseOffset: BigInt(baseOffset), records })
}

function marker(baseOffset: number): Buffer {
  const record = rawRecord({ key: Buffer.from([0, 0, 0, 0]), value: Buffer.alloc(6) })
  return rawBatch({ baseOffset: BigInt(baseOffset), attributes: 0x30, records: [record] })
}

test('a reader passes on what is after its position, advances it, and counts the records', async () => {
  const { stats, seen, answer } = start()
  expect(await answer(batchOf(0, 5), batchOf(5, 2))).toBe(3)
  expect(await answer(batchOf(9, 1))).toBe(7)
  await until('it is read', () => seen.at(-1) === 'at 10')
  expect(seen).toEqual(['2 records from 3', '2 records from 5', 'at 7', '1 records from 7', 'at 10'])
  expect(stats.count('recordsRecovered')).toBe(5)
})

test('a reader takes nothing after the marker that its sink names as the end', async () => {
  const { seen, reached, answer } = start({ control: () => true })
  await answer(batchOf(3, 1), marker(4), batchOf(5, 1))
  await until('it is read', () => seen.length === 2)
  expect([seen, reached.position]).toEqual([['1 records from 3', 'at 5'], 5])
})

test('a reader says what to do when a batch of the changelog stays unreadable', async () => {
  const { fake, running, answer, seen } = start()
  fake.retryBackoff = { firstMs: 1, maxMs: 1 }
  const damaged = batchOf(4, 1)
  damaged.writeUInt8(damaged.at(-1)! ^ 1, damaged.length - 1)
  await answer(batchOf(3, 1), damaged)
  void fake.serve(({ answer: reply }) => reply(fetchResponse('log', [{ partition: 0, records: damaged }])))
  expect(await running.catch((error: Error) => error.message)).toMatch(
    /^Reading log partition 0: .*; delete topic log and it is rebuilt from the source$/,
  )
  expect(seen).toContain('1 records from 3')
})
