import { expect, test } from 'bun:test'
import { configureLogging } from '../../../lib/log/index.ts'
import { partitionStateOf, setPartitionState } from '../../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { Ingest } from '../../../lib/store-thread/ingest/ingest.ts'
import type { PartitionOwnership } from '../../../lib/store-thread/ingest/partition-ownership.ts'
import { Contests } from '../../../lib/store-thread/repair/contests.ts'
import type { StoreContext } from '../../../lib/store-thread/store-context.ts'
import { type Exchange, FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { fetchPositions, fetchResponse } from '../../support/kafka/fakes/responses.ts'
import { headerOf, rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { createFixture } from '../../support/map/map-pair.ts'
import { until } from '../../support/until.ts'

const acknowledged = 10

type Entry = [key: string, value: string | null, src?: number]

/** @param settled resolves with whether what an amendment has written is acknowledged */
async function start({
  fencing = false,
  useProcessingOnly = false,
  isLost = false,
  isElastic = false,
  settled = Promise.resolve(true),
} = {}) {
  const { map, put, openAll } = createFixture()
  put(0, 'a', 'held', 5)
  await openAll()
  const fake = new FakeClient()
  const log: Buffer[] = []
  const stats = new Stats([0])
  setPartitionState(stats, 0, 'running')
  const said: string[] = []
  const written: string[] = []
  let renewals = 0
  const ingest = {
    changelogEnd: () => (isLost && renewals > 0 ? -1 : 0),
    acknowledged: () => acknowledged,
    repairs: { renewed: async () => void renewals++ },
    amend: async (_: number, write: (amendment: unknown) => Promise<void>) => {
      await write({ append: async (key: Buffer, after: number) => void written.push(`${key} aft=${after}`) })
      return settled
    },
  }
  const context = {
    clients: { changelog: fake.client },
    config: { changelogTopic: 'log', fencing, useProcessingOnly, ...(isElastic && { elastic: {} }) },
    map,
    stats,
    post: ({ type, reason }: { type: string; reason: string }) => void said.push(`${type}: ${reason}`),
    failed: (error: unknown) => void said.push(`failed: ${error}`),
  }
  const ownership = { isOwn: () => () => false, term: () => -1 }
  const contests = new Contests(
    context as unknown as StoreContext,
    ownership as unknown as PartitionOwnership,
    ingest as unknown as Ingest,
  )
  void fake.serve((exchange) => answerFrom(log, exchange))
  const endOf = () => log.reduce((end, one) => end + one.readInt32BE(57), 0)
  /** Another writer appends records, each array a batch; resolves when they were checked. */
  async function appendBatches(...batches: Entry[][]): Promise<void> {
    const at = stats.count('foreignWrites')
    push(batches)
    await until('it is seen', () => stats.count('foreignWrites') === at + 1)
  }
  function push(batches: readonly Entry[][]): void {
    const from = endOf()
    for (const entries of batches) {
      const records = entries.map(([key, value, src], offsetDelta) => {
        return rawRecord({ offsetDelta, key, value, headers: src === undefined ? [] : [['src', headerOf(src)]] })
      })
      log.push(rawBatch({ baseOffset: BigInt(endOf()), producerId: 8n, producerEpoch: 0, records }))
    }
    const to = endOf()
    fake.offsets.set(0, { earliest: 0, latest: to })
    contests.found(0, { from, to })
  }
  const append = (...entries: Entry[]) => appendBatches(entries)
  /** Another program ends a transaction. */
  function abort(): void {
    const from = endOf()
    const records = [rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })]
    log.push(rawBatch({ baseOffset: BigInt(from), attributes: 0x30, producerId: 8n, producerEpoch: 0, records }))
    contests.found(0, { from, to: endOf() })
  }
  return { abort, contests, push, append, appendBatches, said, written, stats, renewals: () => renewals }
}

function answerFrom(log: readonly Buffer[], { request, answer }: Exchange): void {
  const { offset } = fetchPositions(request)[0]!
  const records = Buffer.concat(log.filter((one) => Number(one.readBigInt64BE(0)) + one.readInt32BE(23) >= offset))
  answer(fetchResponse('log', [{ partition: 0, records, lastStableOffset: 1_000, highWatermark: 1_000 }]))
}

test('Contests writes again the values of keys whose acknowledged value was replaced', async () => {
  const { append, written } = await start()
  await append(['a', 'other', 3], ['b', 'never held', 9], ['c', 'bare'])
  await until('they are written', () => written.length === 3)
  expect(written).toEqual(['a aft=9', 'b aft=9', 'c aft=9'])
})

test.each([
  ['once that is acknowledged', true, 1],
  ['never where another instance has taken the partition before', false, 0],
] as const)('Contests reports what it has written again %s', async (_, isAcknowledged, count) => {
  const lines: string[] = []
  configureLogging({ level: 'warning', structured: false, write: (line) => void lines.push(line) })
  const reports = () => lines.filter((line) => line.includes('wrote 1 key again')).length
  const { promise: settled, resolve } = Promise.withResolvers<boolean>()
  const { append, written } = await start({ settled })
  await append(['a', 'other', 3])
  await until('it is written', () => written.length === 1)
  expect(reports()).toBe(0)
  resolve(isAcknowledged)
  await append(['c', 'bare'], ['d', 'bare'])
  await until('the next are written', () => written.length > 1)
  expect(reports()).toBe(count)
})

test('Contests writes again the value of a key that was deleted', async () => {
  const { append, written } = await start()
  await append(['a', null, 9])
  await until('it is written', () => written.length === 1)
  expect(written).toEqual(['a aft=9'])
})

test('Contests ignores equal values, and values ahead of the acknowledged ones', async () => {
  const { append, written } = await start()
  await append(['a', 'held', 3], ['b', null, 4], ['c', 'ahead', acknowledged], ['a', 'held', 11])
  // What it had written before this would stand before.
  await append(['d', 'other', 1])
  await until('that is written', () => written.length > 0)
  expect(written).toEqual(['d aft=9'])
})

test('Contests repairs three times, and then reports that the partition is contested', async () => {
  const { append, written, said, stats } = await start()
  for (let round = 1; round <= 3; round++) {
    await append(['a', `other ${round}`, 3])
    await until('it is written', () => written.length === round)
  }
  expect(partitionStateOf(stats, 0)).toBe('running')
  await append(['a', 'other 4', 3])
  await until('it is contested', () => partitionStateOf(stats, 0) === 'contested')
  await append(['a', 'other 5', 3])
  expect(written.length).toBe(3)
  expect(said.filter((line) => line.startsWith('contested: log partition 0: contested: another writer')).length).toBe(1)
})

test('Contests repairs more than can be held at once, and counts that as one repair', async () => {
  const { appendBatches, written, stats } = await start()
  // Two of them are enough for one portion.
  const large = 'x'.repeat(9 << 20)
  const keys = Array.from({ length: 8 }, (_, index) => `key ${index}`)
  await appendBatches(...keys.map((key): Entry[] => [[key, large, 3]]))
  await until('they are written', () => written.length === keys.length)
  expect(written).toEqual(keys.map((key) => `${key} aft=9`))
  expect(partitionStateOf(stats, 0)).toBe('running')
})

test('Contests takes the partition again before it repairs, and repairs nothing of one that is lost by that', async () => {
  const kept = await start({ fencing: true })
  await kept.append(['a', 'other', 3])
  await until('it is written', () => kept.written.length === 1)
  expect(kept.renewals()).toBe(1)
  const lost = await start({ fencing: true, isLost: true })
  await lost.append(['a', 'other', 3])
  await until('it was asked', () => lost.renewals() === 1)
  await lost.append(['b', 'other', 3])
  expect(lost.written).toEqual([])
})

test('Contests gives advice when there is nothing in memory to repair from', async () => {
  const { append, written, said } = await start({ useProcessingOnly: true })
  await append(['a', 'other', 3])
  await append(['a', 'other', 3])
  expect(written).toEqual([])
  expect(said[0]).toMatch(/^foreign: log partition 0: another writer has appended before offset 1; .*then restart/)
})

test('an abort marker of another program has the partition taken again in a group, so that it does not count as a later owner', async () => {
  const group = await start({ fencing: true, isElastic: true })
  group.abort()
  await until('it is taken', () => group.renewals() === 1)
  const alone = await start({ fencing: true })
  alone.abort()
  await until('it is looked at', () => alone.contests.lookedTo(0) === 1)
  expect([alone.renewals(), group.said, alone.said]).toEqual([0, [], []])
})

test('Contests is settled once everything is written again that was found, and acknowledged', async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const { append, contests, written } = await start({ settled: promise })
  expect(await isPending(contests.settled())).toBeFalse()
  await append(['a', 'other', 3])
  const settled = contests.settled()
  await until('it is written', () => written.length === 1)
  expect(await isPending(settled)).toBeTrue()
  resolve(true)
  await settled
  contests.foundAtStart(0, [Buffer.from('b')])
  await contests.settled()
  expect(written).toEqual(['a aft=9', 'b aft=9'])
})

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  return (await Promise.race([promise, 'pending'])) === 'pending'
}

test('what a later owner of a group has written is not reported: this instance is fenced, and its copy continues', async () => {
  const { push, contests, said, written, stats, renewals } = await start({
    fencing: true,
    isElastic: true,
    isLost: true,
  })
  push([[['a', 'other', 3]]])
  await until('it is taken again', () => renewals() === 1)
  await contests.settled()
  expect([said, written, stats.count('foreignWrites')]).toEqual([[], [], 0])
})

test('a copy may continue where a search begins, not behind it', async () => {
  const { contests, append } = await start({ fencing: true })
  await append(['a', 'held', 5])
  await contests.settled()
  contests.found(0, { from: 5, to: 9 })
  expect([5, 6].map((offset) => contests.mayBeBelow(0, offset))).toEqual([false, true])
  expect(contests.isOpen(0)).toBeTrue()
})
