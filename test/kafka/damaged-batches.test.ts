import { afterEach, describe, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { Backoff } from '../../lib/kafka/backoff.ts'
import { CommittedBatches } from '../../lib/kafka/committed-batches.ts'
import { damagedFetchesMax, soundPart } from '../../lib/kafka/damaged-batches.ts'
import type { FetchSink } from '../../lib/kafka/fetch-sink.ts'
import type { FetchedPartition } from '../../lib/kafka/protocol/fetch.ts'
import { RetryPolicy } from '../../lib/kafka/retry-policy.ts'
import { fetchAt } from '../../lib/store-thread/recovery/fetch-at.ts'
import { FakeClient, unreachable } from '../support/kafka/fakes/fake-client.ts'
import { asked, batch, start, stopFetchers } from '../support/kafka/fakes/fetcher-setup.ts'
import { fetchPositions, fetchResponse } from '../support/kafka/fakes/responses.ts'
import { rawRecord, withCrc } from '../support/kafka/record-batch/raw-batch.ts'
import { fetched } from '../support/store-thread/stand-ins.ts'
import { until } from '../support/until.ts'

afterEach(stopFetchers)

function damaged(at: number): Buffer {
  const bytes = batch(at)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 0xff, bytes.length - 2)
  return bytes
}

/** Notes what a client pauses, between 4 and 64 ms. */
function pausesOf(fake: FakeClient): number[] {
  const pauses: number[] = []
  fake.retryPolicy = () => {
    const retryPolicy = new RetryPolicy(new Backoff({ firstMs: 4, maxMs: 64 }))
    return Object.assign(retryPolicy, { pauseMs: () => pauses[pauses.push(retryPolicy.nextMs(unreachable())) - 1]! })
  }
  return pauses
}

/** Reads records as every sink does, and says what it took and what it gave up. */
function reader() {
  const taken: string[] = []
  const given: [number, number][] = []
  const positions = new Map<number, number>()
  const batches = new CommittedBatches()
  const sink: Partial<FetchSink> = {
    received(came: FetchedPartition, position: number) {
      const { partition } = came
      if (!positions.has(partition)) positions.set(partition, position)
      batches.open(came, positions.get(partition)!)
      while (batches.next() !== undefined) {
        batches.batch.openRecords({ checkCrc: true })
        while (batches.batch.nextRecord()) taken.push(`${partition}@${batches.batch.offset}`)
        positions.set(partition, batches.batch.nextOffset)
      }
    },
    takenTo: (partition) => positions.get(partition) ?? 0,
    damaged(partition, _, times) {
      given.push([partition, times])
      positions.set(partition, positions.get(partition)! + 1)
      return positions.get(partition)
    },
  }
  return { sink, taken, given }
}

/** A log of one record a batch, of which some come damaged. */
function serve(fake: FakeClient, ends: Record<number, number>, isDamaged: (partition: number, at: number) => boolean) {
  const fetches: string[] = []
  void fake.serve(({ request, answer }) => {
    fetches.push(...asked(request))
    const answers = fetchPositions(request).map(({ partition, offset }) => {
      const there = Array.from({ length: Math.max(0, ends[partition]! - offset) }, (_, i) => offset + i)
      const records = Buffer.concat(there.map((at) => (isDamaged(partition, at) ? damaged(at) : batch(at))))
      return { partition, records }
    })
    // A broker waits where there is nothing.
    if (answers.some(({ records }) => records.length > 0)) answer(fetchResponse('topic', answers))
    else setTimeout(answer, 5, fetchResponse('topic', answers))
  })
  return fetches
}

describe('Fetcher', () => {
  test('fetches a damaged batch again, with growing pauses, and continues when it is undamaged', async () => {
    const fake = new FakeClient()
    const pauses = pausesOf(fake)
    const { sink, taken, given } = reader()
    let left = 6
    const fetches = serve(fake, { 0: 4 }, (_, at) => at === 2 && left-- > 0)
    start(fake, { 0: 0 }, sink)
    await until('all is taken', () => taken.length === 4)
    expect(pauses).toHaveLength(6)
    for (const [i, most] of [4, 8, 16, 32, 64, 64].entries()) expect(pauses[i]).toBeWithin(most / 2, most)
    expect(taken).toEqual(['0@0', '0@1', '0@2', '0@3'])
    expect(fetches.filter((one) => one === '0@2')).toHaveLength(6)
    expect(given).toEqual([])
    expect(fake.troubles).toHaveLength(6)
    expect(fake.troubles[0]).toMatch(
      /^Reading topic partition 0: .*offset 2 .*CRC32C .*; fetching it 10 times at most$/,
    )
  })

  test('passes a batch to its sink after ten damaged responses in a row, and continues after it', async () => {
    const fake = new FakeClient()
    fake.retryBackoff = { firstMs: 1, maxMs: 1 }
    const { sink, taken, given } = reader()
    serve(fake, { 0: 4 }, (_, at) => at === 1 || at === 2)
    start(fake, { 0: 0 }, sink)
    await until('all is taken', () => taken.length === 2)
    expect(taken).toEqual(['0@0', '0@3'])
    expect(given).toEqual([
      [0, damagedFetchesMax],
      [0, damagedFetchesMax],
    ])
  })

  test('continues with other partitions of the same broker meanwhile', async () => {
    const fake = new FakeClient({ 0: 1, 1: 1 })
    fake.retryBackoff = { firstMs: 60_000, maxMs: 60_000 }
    const { sink, taken, given } = reader()
    serve(fake, { 0: 2, 1: 50 }, (partition) => partition === 0)
    start(fake, { 0: 0, 1: 0 }, sink)
    await until('the other is taken', () => taken.length === 50)
    expect([taken.every((one) => one.startsWith('1@')), given]).toEqual([true, []])
  })

  test('passes a malformed batch with a right checksum to its sink at once', async () => {
    const fake = new FakeClient()
    const { sink, taken, given } = reader()
    const nonsense = withCrc(batch(0, { records: [rawRecord({}), Buffer.from([0x7e, 1, 2])] }))
    start(fake, { 0: 0 }, { ...sink, damaged: (partition, _, times) => (given.push([partition, times]), 2) })
    const first = await fake.next()
    first.answer(fetchResponse('topic', [{ partition: 0, records: nonsense }]))
    await until('it continues', () => given.length === 1)
    expect([taken, given, fake.troubles]).toEqual([['0@0'], [[0, 1]], []])
  })

  test('ends when the sink does not handle damage', async () => {
    const fake = new FakeClient()
    fake.retryBackoff = { firstMs: 1, maxMs: 1 }
    const { sink } = reader()
    serve(fake, { 0: 1 }, () => true)
    const { damaged: _, ...without } = sink
    const { running } = start(fake, { 0: 0 }, without)
    expect(await running.catch((error: unknown) => error)).toMatchObject({ code: 'record_batch_corrupt' })
  })
})

describe('fetchAt', () => {
  test('returns the batches before a damaged one, and fetches that again until it is undamaged', async () => {
    const fake = new FakeClient()
    fake.retryBackoff = { firstMs: 1, maxMs: 1 }
    let left = 6
    const fetches = serve(fake, { 0: 4 }, (_, at) => at === 2 && left-- > 0)
    const batches = new CommittedBatches()
    const found: number[] = []
    for (let position = 0; position < 4;) {
      batches.open((await fetchAt(fake.client, 'topic', 0, position))!, position)
      while (batches.next() !== undefined) {
        batches.batch.openRecords({ checkCrc: true })
        found.push(batches.batch.baseOffset)
        position = batches.batch.nextOffset
      }
    }
    expect([found, fetches.length]).toEqual([[0, 1, 2, 3], 7])
  })

  test('returns a damaged batch after ten responses', async () => {
    const fake = new FakeClient()
    fake.retryBackoff = { firstMs: 1, maxMs: 1 }
    const fetches = serve(fake, { 0: 2 }, () => true)
    const came = (await fetchAt(fake.client, 'topic', 0, 0))!
    const batches = new CommittedBatches()
    batches.open(came, 0)
    batches.next()
    expect(() => batches.batch.openRecords({ checkCrc: true })).toThrow(LatchkeyError)
    expect(fetches).toHaveLength(damagedFetchesMax)
  })
})

describe('soundPart', () => {
  const bytesOf = (...parts: Buffer[]) => fetched(Buffer.concat(parts))
  const endOf = (part: FetchedPartition | undefined) => part && part.end - part.start
  const { length } = batch(0)

  test.each([
    ['all, where nothing is damaged', bytesOf(batch(0), batch(1)), 2 * length],
    ['all, where nothing came', bytesOf(), 0],
    ['what is before a damaged batch', bytesOf(batch(0), damaged(1), batch(2)), length],
    ['what is before a header that makes no sense', bytesOf(batch(0), batch(1).fill(9, 16, 17)), length],
    ['what is before an offset that goes back', bytesOf(batch(3), batch(1)), length],
    ['nothing, where the first one is damaged', bytesOf(damaged(0), batch(1)), undefined],
    ['nothing, where the first header makes no sense', bytesOf(batch(0).fill(9, 16, 17)), undefined],
  ])('is %s', (_, came, end) => {
    expect(endOf(soundPart(came, 0))).toBe(end)
  })

  test('ignores what is before the offset', () => {
    expect(endOf(soundPart(bytesOf(damaged(0), batch(1), damaged(2)), 1))).toBe(2 * length)
    expect(soundPart(bytesOf(batch(0), damaged(1)), 1)).toBeUndefined()
  })
})
