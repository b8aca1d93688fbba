import { beforeEach, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import type { LatchkeyError } from '../../../lib/errors.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { BadRecords } from '../../../lib/store-thread/ingest/bad-records.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { SourceDecoder } from '../../../lib/store-thread/ingest/source-decoder.ts'
import type { ChangelogLimits } from '../../../lib/topics/changelog-topic.ts'
import { rawBatch, type RawRecord, rawRecord, withCrc } from '../../support/kafka/record-batch/raw-batch.ts'
import { type BatchRecord, captureLog, contentOf, counted, fetched } from '../../support/store-thread/stand-ins.ts'

const unlimited: ChangelogLimits = {
  maxMessageBytes: 1_000_000,
  timestampBeforeMaxMs: 9e18,
  timestampAfterMaxMs: 9e18,
  keepsTimestamps: true,
}
const hourMs = 3_600_000

let lines: string[]
beforeEach(() => {
  lines = captureLog()
})

function setup(limits: Partial<ChangelogLimits> = {}, batchBytes = 1 << 20, position = 0) {
  const stats = new Stats([0])
  const bad = new BadRecords({ sourceTopic: 'orders' }, stats)
  const pool = new BatchPool(batchBytes, 4)
  const decoder = new SourceDecoder('orders', stats, { ...unlimited, ...limits }, pool, bad)
  return { stats, decoder, state: new PartitionIngest(0, position, pool) }
}

function batch(at: number, ...records: RawRecord[]): Buffer {
  const raw = records.map((record, offsetDelta) => rawRecord({ offsetDelta, ...record }))
  return rawBatch({ baseOffset: BigInt(at), baseTimestamp: 1_700_000_000_000n, records: raw })
}

/** All that waits to be written, in order. */
function waiting(state: PartitionIngest): BatchRecord[] {
  return state.queue.batches.flatMap(contentOf)
}

function keys(state: PartitionIngest): string[] {
  return waiting(state).map(({ key, src }) => `${key} ${src}`)
}

test('SourceDecoder encodes records with their source offset and advances', () => {
  const { decoder, state, stats } = setup()
  const bytes = Buffer.concat([batch(0, { key: 'a' }, { key: 'b', value: null }), batch(5, { key: 'c', value: '' })])
  expect(decoder.decode(fetched(bytes), state)).toBeUndefined()
  expect(waiting(state)).toEqual([
    { key: 'a', value: 'value', src: 0, timestamp: 1_700_000_000_000 },
    { key: 'b', value: null, src: 1, timestamp: 1_700_000_000_000 },
    { key: 'c', value: '', src: 5, timestamp: 1_700_000_000_000 },
  ])
  expect(state).toMatchObject({ consumed: 6, acknowledged: 0 })
  expect(state.queue.batches[0]!.nextSource).toBe(6)
  expect(state.bytes).toBe(state.queue.batches[0]!.bytes)
  expect(counted(stats)).toEqual({ recordsConsumed: 3, bytesConsumed: bytes.length })
})

test('SourceDecoder takes only records from its position on when a batch begins before it', () => {
  const { decoder, state, stats } = setup({}, 1 << 20, 2)
  decoder.decode(fetched(batch(0, { key: 'a' }, { key: 'b' }, { key: 'c' })), state)
  expect(keys(state)).toEqual(['c 2'])
  expect(stats.count('recordsConsumed')).toBe(1)
})

test('SourceDecoder begins another batch when one is full, and counts the bytes of both', () => {
  const { decoder, state } = setup({}, 200)
  decoder.decode(fetched(batch(0, ...Array.from({ length: 20 }, (_, i) => ({ key: `key-${i}` })))), state)
  expect(state.queue.batches.length).toBeGreaterThan(4)
  expect(waiting(state).map(({ src }) => src)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  expect(state.bytes).toBe(state.queue.batches.reduce((sum, { bytes }) => sum + bytes, 0))
  const ends = state.queue.batches.map(({ nextSource }) => nextSource)
  expect(ends).toEqual(ends.toSorted((a, b) => a - b))
  expect(ends.at(-1)).toBe(20)
})

test('SourceDecoder moves past aborted and control batches, and counts them', () => {
  const { decoder, state, stats } = setup()
  const transactional = { producerId: 7n, attributes: 0x10 }
  const bytes = Buffer.concat([
    rawBatch({ baseOffset: 0n, ...transactional, records: [rawRecord({}), rawRecord({ offsetDelta: 1 })] }),
    rawBatch({ baseOffset: 2n, ...transactional, attributes: 0x30, records: [rawRecord({ key: Buffer.alloc(4) })] }),
  ])
  decoder.decode(fetched(bytes, { aborted: [{ producerId: 7, firstOffset: 0 }] }), state)
  expect(state).toMatchObject({ consumed: 3, isIdle: true })
  expect(counted(stats)).toEqual({ abortedRecords: 2, controlBatches: 1 })
})

test('SourceDecoder skips, counts and logs a record without a key', () => {
  const { decoder, state, stats } = setup()
  decoder.decode(fetched(batch(0, { key: 'a' }, { key: null }, { key: 'c' })), state)
  expect(keys(state)).toEqual(['a 0', 'c 2'])
  expect(stats.count('skippedNullKey')).toBe(1)
  expect(lines).toEqual(['warning orders partition 0 offset 1: record skipped, it has no key'])
})

test('SourceDecoder skips, counts and logs an undecodable record', () => {
  const { decoder, state, stats } = setup()
  decoder.decode(fetched(batch(0, { key: 'a' }, { headerCount: -1 }, { key: 'c' })), state)
  expect(keys(state)).toEqual(['a 0', 'c 2'])
  expect(stats.count('skippedUndecodable')).toBe(1)
  expect(lines).toEqual([
    expect.stringContaining('orders partition 0 offset 1: record skipped, its header count is -1'),
  ])
})

test('SourceDecoder is done with all it was given when only skipped records came', () => {
  const { decoder, state } = setup()
  decoder.decode(fetched(batch(0, { key: null }, { key: null })), state)
  state.advance()
  expect(state).toMatchObject({ consumed: 2, acknowledged: 2, isIdle: true })
})

test('SourceDecoder accepts a record of the maximum size, and skips, counts and logs one a byte larger', () => {
  const limits = { maxMessageBytes: 1000 }
  const sizes = Array.from({ length: 200 }, (_, i) => 800 + i)
  const { decoder, state, stats } = setup(limits, 1000)
  decoder.decode(fetched(batch(0, ...sizes.map((size) => ({ key: 'k', value: randomBytes(size) })))), state)
  const written = state.queue.batches
  expect(Math.max(...written.map(({ bytes }) => bytes))).toBe(1000)
  const largest = Math.max(...waiting(state).map(({ value }) => value!.length))
  expect(stats.count('skippedTooLarge')).toBe(sizes.filter((size) => size > largest).length)
  expect(lines[0]).toStartWith(
    `error orders partition 0 offset ${largest - 800 + 1}: record skipped, with key and value of`,
  )
})

test('SourceDecoder compresses a record in a separate batch, in order, when it is too large uncompressed', () => {
  const { decoder, state, stats } = setup({ maxMessageBytes: 1000 }, 1000)
  const large = 'v'.repeat(500_000)
  decoder.decode(
    fetched(batch(0, { key: 'a' }, { key: 'b', value: large }, { key: 'c' }, { key: 'd', value: large })),
    state,
  )
  expect(keys(state)).toEqual(['a 0', 'b 1', 'c 2', 'd 3'])
  const batches = state.queue.batches
  expect(batches.map(({ count, isCompressed, nextSource }) => [count, isCompressed, nextSource])).toEqual([
    [1, false, 1],
    [1, true, 2],
    [1, false, 3],
    [1, true, 4],
  ])
  for (const sealed of batches) {
    expect(sealed.seal({ producerId: 1, producerEpoch: 0, baseSequence: 7 }).length).toBeLessThanOrEqual(1000)
  }
  expect(contentOf(batches[1]!)).toEqual([{ key: 'b', value: large, src: 1, timestamp: 1_700_000_000_000 }])
  expect(state.bytes).toBe(batches.reduce((sum, { bytes }) => sum + bytes, 0))
  expect(counted(stats)).toMatchObject({ recordsConsumed: 4 })
  expect(lines).toEqual([])
})

test('SourceDecoder writes the nearest timestamp that the changelog accepts, and counts and logs it', () => {
  const now = Date.now()
  const limits = { timestampBeforeMaxMs: 24 * hourMs, timestampAfterMaxMs: hourMs }
  const { decoder, state, stats } = setup(limits)
  const timestamps = [now, now + 2 * hourMs, now - 48 * hourMs, now - hourMs]
  const records = timestamps.map((timestamp, offsetDelta) =>
    rawRecord({ offsetDelta, timestampDelta: BigInt(timestamp - now), key: `${offsetDelta}` }),
  )
  decoder.decode(fetched(rawBatch({ baseTimestamp: BigInt(now), records })), state)
  const [same, ahead, behind, earlier] = waiting(state).map(({ timestamp }) => timestamp)
  expect([same, earlier]).toEqual([timestamps[0], timestamps[3]])
  expect(ahead).toBeWithin(now + hourMs / 2, now + hourMs)
  expect(behind).toBeWithin(now - 24 * hourMs, now - 23 * hourMs)
  expect(stats.count('timestampsClamped')).toBe(2)
  expect(lines[0]).toContain(`offset 1: the changelog would refuse timestamp ${now + 2 * hourMs}`)
})

test('SourceDecoder leaves a record without a timestamp without one', () => {
  const { decoder, state, stats } = setup({ timestampBeforeMaxMs: hourMs })
  decoder.decode(fetched(rawBatch({ baseTimestamp: -1n, records: [rawRecord({})] })), state)
  expect(waiting(state)[0]!.timestamp).toBe(-1)
  expect(stats.count('timestampsClamped')).toBe(0)
})

/** A batch whose bytes were changed on the way. */
function damaged(at: number, count: number): Buffer {
  const bytes = batch(at, ...Array.from({ length: count }, () => ({})))
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 0xff, bytes.length - 2)
  return bytes
}

const corrupt = expect.objectContaining({ code: 'record_batch_corrupt' })

/** Decodes a batch that cannot be read. @returns why */
function faultOf({ decoder, state }: ReturnType<typeof setup>, bytes: Buffer): LatchkeyError {
  try {
    decoder.decode(fetched(bytes), state)
  } catch (error) {
    expect(error).toEqual(corrupt)
    return error as LatchkeyError
  }
  throw new Error('it can be read')
}

test('SourceDecoder stops at a damaged batch, with everything before it, and continues when it is undamaged', () => {
  const store = setup()
  const { decoder, state, stats } = store
  faultOf(store, Buffer.concat([batch(0, { key: 'a' }), damaged(1, 3)]))
  expect(keys(state)).toEqual(['a 0'])
  expect(state.consumed).toBe(1)
  expect(decoder.decode(fetched(batch(1, { key: 'b' }, { key: 'c' }, { key: 'd' })), state)).toBeUndefined()
  expect(keys(state)).toEqual(['a 0', 'b 1', 'c 2', 'd 3'])
  expect(counted(stats)).toMatchObject({ recordsConsumed: 4 })
  expect(stats.count('skippedCorruptBatch')).toBe(0)
  expect(lines).toEqual([])
})

test('SourceDecoder skips, counts and logs a permanently damaged batch, and continues after it', () => {
  const store = setup({}, 1 << 20, 1)
  const { decoder, state, stats } = store
  const fault = faultOf(store, Buffer.concat([damaged(1, 3), batch(4, { key: 'e' })]))
  expect(decoder.skipDamaged(state, fault, 10)).toBe(4)
  expect(decoder.decode(fetched(batch(4, { key: 'e' })), state)).toBeUndefined()
  expect(keys(state)).toEqual(['e 4'])
  expect(stats.count('skippedCorruptBatch')).toBe(1)
  expect(lines).toEqual([
    expect.stringMatching(/^error orders partition 0: offsets 1 to 3 skipped after 10 fetches: .*CRC32C/),
  ])
})

test('SourceDecoder keeps and counts the records before the fault when a batch ends in nonsense that has a right CRC', () => {
  const store = setup()
  const { decoder, state, stats } = store
  const records = [rawRecord({ key: 'a' }), rawRecord({ offsetDelta: 1, key: 'b' }), Buffer.from([0x7e, 1, 2])]
  const fault = faultOf(store, withCrc(rawBatch({ records })))
  expect(decoder.skipDamaged(state, fault, 1)).toBe(3)
  expect(keys(state)).toEqual(['a 0', 'b 1'])
  expect(counted(stats)).toMatchObject({ recordsConsumed: 2, skippedCorruptBatch: 1 })
  expect(lines).toEqual([expect.stringContaining('offsets 2 to 2 skipped after 1 fetch: ')])
})

test('SourceDecoder advances by one offset when the header itself is damaged', () => {
  const store = setup()
  const { decoder, state, stats } = store
  const bytes = batch(0, {}, {})
  bytes.writeInt8(9, 16)
  expect(decoder.skipDamaged(state, faultOf(store, bytes), 10)).toBe(1)
  expect(stats.count('skippedCorruptBatch')).toBe(1)
})
