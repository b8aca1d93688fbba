import { expect, test } from 'bun:test'
import { brokerError } from '../../../lib/kafka/protocol/error-codes.ts'
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { BadRecords } from '../../../lib/store-thread/ingest/bad-records.ts'
import { BatchPool, type ChangelogBatch } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'
import { Refusals } from '../../../lib/store-thread/ingest/refusals.ts'
import { discardOffset } from '../../../lib/store-thread/recovery/source-trail.ts'
import { captureLog, contentOf, counted } from '../../support/store-thread/stand-ins.ts'

const tooLarge = brokerError('Writing', 10)
const invalidTimestamp = brokerError('Writing', 32)
const invalidRecord = brokerError('Writing', 87)
const timestamp = 4_000_000_000_000

function setup() {
  const stats = new Stats([0])
  const pool = new BatchPool(1 << 20, 4)
  return { stats, pool, refusals: new Refusals(stats, pool, new BadRecords({ sourceTopic: 'orders' }, stats)) }
}

/** A sealed batch of records k0, k1, … with source offsets 10, 11, …; after them records up to 50 were skipped. */
function batchOf(pool: BatchPool, count: number, sourceOffset = (index: number) => 10 + index): ChangelogBatch {
  const batch = pool.acquire()
  for (let index = 0; index < count; index++) {
    const bytes = Buffer.from(`k${index}v`)
    batch.builder.append(bytes, 0, 2, 2, index % 3 === 2 ? -1 : 1, timestamp + index, sourceOffset(index))
  }
  batch.coverTo(50)
  batch.seal({ producerId: 1, producerEpoch: 0, baseSequence: 0 })
  return batch
}

/** Refuses batches until what is left passes `accepts`; what was written, in order. */
function writeAll(
  refusals: Refusals,
  first: ChangelogBatch,
  accepts: (batch: ChangelogBatch) => boolean,
  error = tooLarge,
) {
  const written: ChangelogBatch[] = []
  const pending = [first]
  for (let batch = pending.shift(); batch !== undefined; batch = pending.shift()) {
    const content = contentOf(batch)
    if (accepts(batch)) written.push(batch)
    else pending.unshift(...refusals.replace(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)), batch, error))
    expect(content.length).toBeGreaterThan(0)
  }
  return written
}

test('Refusals writes a batch in two halves, in order and unchanged, when it is too large', () => {
  const { pool, refusals, stats } = setup()
  const batch = batchOf(pool, 5)
  const halves = refusals.replace(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)), batch, tooLarge)
  expect(halves.map(({ nextSource }) => nextSource)).toEqual([12, 50])
  expect(halves.map((half) => contentOf(half).map(({ key, src }) => `${key} ${src}`))).toEqual([
    ['k0 10', 'k1 11'],
    ['k2 12', 'k3 13', 'k4 14'],
  ])
  expect(halves.flatMap(contentOf)).toEqual(contentOf(batch))
  expect(counted(stats)).toEqual({ changelogFailures: 1 })
})

test('Refusals drops and logs the one record that is too large, and writes all others', () => {
  const lines = captureLog()
  const { pool, refusals, stats } = setup()
  const written = writeAll(refusals, batchOf(pool, 7), (batch) => !contentOf(batch).some(({ key }) => key === 'k3'))
  expect(written.flatMap(contentOf).map(({ key }) => key)).toEqual(['k0', 'k1', 'k2', 'k4', 'k5', 'k6'])
  expect(counted(stats)).toMatchObject({ skippedTooLarge: 1 })
  expect(lines).toEqual([
    expect.stringContaining('error orders partition 0 offset 13: record skipped, the changelog refuses it'),
  ])
  expect(lines[0]).toContain('MESSAGE_TOO_LARGE')
})

test('Refusals compresses the one record that is too large before dropping it, with its corrected timestamp', () => {
  const { pool, refusals, stats } = setup()
  const accepts = (batch: ChangelogBatch) => batch.isCompressed || !contentOf(batch).some(({ key }) => key === 'k3')
  const written = writeAll(refusals, batchOf(pool, 7), accepts)
  expect(written.flatMap(contentOf).map(({ key }) => key)).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'])
  expect(written.filter(({ isCompressed }) => isCompressed)).toHaveLength(1)
  expect(counted(stats)).not.toHaveProperty('skippedTooLarge')
  const retimed = batchOf(pool, 1)
  retimed.markRetimed()
  expect(refusals.replace(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)), retimed, tooLarge)).toMatchObject([
    { isCompressed: true, isRetimed: true, nextSource: 50 },
  ])
})

test('BatchPool keeps no batch that was taken for a compressed record', () => {
  const { pool } = setup()
  const compressed = pool.acquireCompressed()
  pool.release(compressed)
  expect(pool.acquire()).not.toBe(compressed)
})

test.each([
  ['INVALID_TIMESTAMP', invalidTimestamp],
  ['INVALID_RECORD', invalidRecord],
])('Refusals writes records with the current time when the broker answers %s', (_, error) => {
  const { pool, refusals, stats } = setup()
  const before = Date.now()
  const isTimely = (batch: ChangelogBatch) => contentOf(batch).every((record) => record.timestamp < timestamp)
  const written = writeAll(refusals, batchOf(pool, 4), isTimely, error).flatMap(contentOf)
  expect(written.map(({ key, value, src }) => [key, value, src])).toEqual([
    ['k0', 'v', 10],
    ['k1', 'v', 11],
    ['k2', null, 12],
    ['k3', 'v', 13],
  ])
  for (const record of written) expect(record.timestamp).toBeWithin(before, Date.now() + 1)
  expect(stats.count('timestampsClamped')).toBe(4)
})

test('Refusals drops a record when the broker refuses it with the current time too', () => {
  captureLog()
  const { pool, refusals, stats } = setup()
  const [retimed, ...none] = refusals.replace(
    new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)),
    batchOf(pool, 1),
    invalidTimestamp,
  )
  expect(none).toEqual([])
  expect(retimed!.isRetimed).toBe(true)
  contentOf(retimed!)
  expect(refusals.replace(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)), retimed!, invalidTimestamp)).toEqual([])
  expect(counted(stats)).toMatchObject({ skippedTooLarge: 1, timestampsClamped: 1, changelogFailures: 2 })
})

test('Refusals keeps the mark of tombstones that discard', () => {
  const { pool, refusals } = setup()
  const halves = refusals.replace(
    new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)),
    batchOf(pool, 4, () => discardOffset),
    tooLarge,
  )
  expect(halves.flatMap(contentOf).map(({ src }) => src)).toEqual([
    discardOffset,
    discardOffset,
    discardOffset,
    discardOffset,
  ])
})

test('BatchPool gives empty batches after they were returned', () => {
  const { pool } = setup()
  const batch = batchOf(pool, 3)
  batch.markRetimed()
  pool.release(batch)
  const again = pool.acquire()
  expect(again).toBe(batch)
  expect(again).toMatchObject({ count: 0, isRetimed: false, nextSource: 0 })
  expect(() => again.openIn(new RecordBatchReader())).toThrow()
})

test('Refusals counts no record of an amendment as a write of a program', () => {
  const { pool, refusals } = setup()
  const batch = batchOf(pool, 2, () => -1)
  batch.markAmendment()
  const halves = refusals.replace(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)), batch, tooLarge)
  expect(halves.map(({ directWrites, isAmendment }) => [directWrites, isAmendment])).toEqual([
    [0, true],
    [0, true],
  ])
})

test.each(Array.from({ length: 130 }, (_, index) => index - 1))(
  'Refusals writes a record with the current time when its timestamp is refused, and only then: error %d',
  (code) => {
    const { pool, refusals } = setup()
    const state = new PartitionIngest(0, 0, new BatchPool(1 << 20, 4))
    const [part] = refusals.replace(state, batchOf(pool, 1), brokerError('Writing', code))
    expect([part!.isRetimed, part!.isCompressed]).toEqual(code === 32 || code === 87 ? [true, false] : [false, true])
  },
)
