import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { encode, readAll, sample, type SampleRecord } from '../../support/kafka/record-batch/samples.ts'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 12 }),
  fc.uint8Array({ minLength: 60, maxLength: 70 }), // about where lengths need a second byte
  fc.uint8Array({ maxLength: 9_000 }),
)
const nullable = fc.option(
  bytes.map((array) => Buffer.from(array)),
  { nil: null },
)
const timestamp = fc.oneof(
  fc.constant(-1),
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
)
const record: fc.Arbitrary<SampleRecord> = fc.record({
  key: nullable,
  value: nullable,
  timestamp,
  sourceOffset: fc.oneof(fc.constant(-1), fc.maxSafeNat()),
})

test('records are unchanged when a batch is built and read', () => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 90 }), (records) => {
      expect(readAll(encode(records))).toEqual(records.map((each, offset) => ({ ...each, offset })))
    }),
    { numRuns: 200 },
  )
})

test('records are unchanged when batches lie one after the other amid other bytes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(record, { minLength: 1, maxLength: 5 }), { maxLength: 5 }),
      bytes,
      (batches, around) => {
        const encoded = Buffer.concat(batches.map((records) => encode(records)))
        const all = Buffer.concat([around, encoded, around])
        const expected = batches.flatMap((records) => records.map((each, offset) => ({ ...each, offset })))
        expect(readAll(all, around.length, around.length + encoded.length)).toEqual(expected)
      },
    ),
    { numRuns: 100 },
  )
})

test('reader shows the header when a batch carries a producer', () => {
  const batch = encode([sample('a', '1', 1000), sample('b', null, 400), sample('c', '3', 700)], {
    producerId: 4_000_000_000,
    producerEpoch: 3,
    baseSequence: 77,
  })
  batch.writeBigInt64BE(9_000_000_000n, 0) // as a broker does
  batch.writeInt32BE(5, 12)
  const reader = new RecordBatchReader()
  reader.open(batch, 0, batch.length)
  expect(reader.nextBatch()).toBe(true)
  expect(reader).toMatchObject({
    baseOffset: 9_000_000_000,
    nextOffset: 9_000_000_003,
    recordCount: 3,
    batchBytes: batch.length,
    partitionLeaderEpoch: 5,
    compression: 0,
    timestampType: 0,
    isTransactional: false,
    isControl: false,
    maxTimestamp: 1000,
    producerId: 4_000_000_000,
    producerEpoch: 3,
    baseSequence: 77,
  })
  expect(reader.nextBatch()).toBe(false)
})
