import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { compressors } from '../../support/kafka/record-batch/compressed-batches.ts'
import { rawBatch, rawRecord, withCrc } from '../../support/kafka/record-batch/raw-batch.ts'
import { currentRecord, encode, sample } from '../../support/kafka/record-batch/samples.ts'

const many = encode(
  Array.from({ length: 12 }, (_, id) =>
    sample(id === 3 ? null : `key ${id}`, id % 4 ? `value ${id} `.repeat(id) : null, 1_700_000_000_000 + id, id * 1000),
  ),
)
const samples: [string, Buffer][] = [
  ['records', many],
  [
    'foreign headers',
    rawBatch({
      records: [
        rawRecord({
          headers: [
            ['trace', Buffer.alloc(9)],
            ['', null],
          ],
        }),
        rawRecord({ offsetDelta: 1 }),
      ],
    }),
  ],
  ['a marker', rawBatch({ attributes: 0x30, records: [rawRecord({ key: Buffer.alloc(4), value: Buffer.alloc(6) })] })],
  ['nothing', rawBatch({ lastOffsetDelta: 7 })],
  ...compressors.map(({ name, code, compress }): [string, Buffer] => [
    name,
    rawBatch({
      attributes: code,
      body: compress(many.subarray(61)),
      recordCount: 12,
      baseTimestamp: 1_700_000_000_000n,
    }),
  ]),
]

interface Outcome {
  batches: number
  records: unknown[]
  faults: string[]
  error: LatchkeyError | undefined
}

/** Reads all there is. Anything thrown but record_batch_corrupt fails the test. */
function outcome(bytes: Buffer): Outcome {
  const reader = new RecordBatchReader()
  const result: Outcome = { batches: 0, records: [], faults: [], error: undefined }
  try {
    reader.open(bytes, 0, bytes.length)
    while (reader.nextBatch()) {
      result.batches++
      reader.controlType()
      reader.openRecords({ checkCrc: true })
      while (reader.nextRecord()) {
        if (reader.undecodable) result.faults.push(reader.fault)
        else result.records.push(currentRecord(reader))
        expect(reader.offset).toBeWithin(reader.baseOffset, reader.nextOffset)
      }
    }
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
    result.error = error
  }
  return result
}

/** Each with one bit turned over. */
function* bitFlips(bytes: Buffer): Generator<[at: number, damaged: Buffer]> {
  for (let at = 0; at < bytes.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= 1 << bit
      yield [at, damaged]
    }
  }
}

for (const [name, batch] of samples) {
  test(`nothing is read when a batch of ${name} is cut off anywhere`, () => {
    for (let length = 0; length < batch.length; length++) {
      expect(outcome(batch.subarray(0, length))).toEqual({ batches: 0, records: [], faults: [], error: undefined })
    }
  })

  test(`no wrong record is read when any bit of a batch of ${name} is turned over`, () => {
    const whole = outcome(batch)
    for (const [at, damaged] of bitFlips(batch)) {
      const found = outcome(damaged)
      if (at < 8 || (at >= 12 && at < 16)) {
        // Base offset and leader epoch are not covered: brokers set them after the producer has made the sum
        if (!found.error) expect(found.records).toHaveLength(whole.records.length)
      } else {
        expect(found.records).toEqual([])
        // A length that leads past the end looks like a batch that the broker has cut off
        expect(found.error !== undefined || (at < 12 && found.batches === 0)).toBe(true)
      }
    }
  })

  test(`a batch of ${name} is read or refused when any bit is turned over and the sum is made to fit`, () => {
    let corrupt = 0
    for (const [, damaged] of bitFlips(batch)) {
      const found = outcome(withCrc(damaged))
      if (found.error) corrupt++
      for (const fault of found.faults) expect(fault).not.toStartWith('0 bytes are left over')
    }
    expect(corrupt).toBeGreaterThan(0)
  })
}

test('a batch is read or refused when any byte takes any value and the sum is made to fit', () => {
  const batch = Buffer.from(many)
  for (let at = 21; at < batch.length; at++) {
    const before = batch[at]!
    for (let value = 0; value < 256; value++) {
      batch[at] = value
      const { faults } = outcome(withCrc(batch))
      for (const fault of faults) expect(fault).not.toStartWith('0 bytes are left over')
    }
    batch[at] = before
  }
})
