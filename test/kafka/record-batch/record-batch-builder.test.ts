import { expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  batchBytesOfOne,
  hardMaxBytes,
  HeaderBlock,
  RecordBatchBuilder,
  recordOverheadBytesMax,
} from '../../../lib/kafka/record-batch/index.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'
import { append, encode, noProducer, readAll, sample } from '../../support/kafka/record-batch/samples.ts'

test('a sealed batch is byte for byte what the protocol says', () => {
  const source = Buffer.alloc(8)
  source.writeBigInt64BE(2n ** 40n + 7n)
  const expected = rawBatch({
    leaderEpoch: -1,
    baseTimestamp: 1_700_000_000_500n,
    maxTimestamp: 1_700_000_001_000n,
    producerId: 2n ** 33n,
    producerEpoch: 9,
    baseSequence: 1234,
    records: [
      rawRecord({ key: 'one', value: 'x'.repeat(200), headers: [['src', source]] }),
      rawRecord({ offsetDelta: 1, timestampDelta: -500n, key: 'two', value: null }),
      rawRecord({ offsetDelta: 2, timestampDelta: 500n, key: null, value: '' }),
    ],
  })
  const records = [
    sample('one', 'x'.repeat(200), 1_700_000_000_500, 2 ** 40 + 7),
    sample('two', null, 1_700_000_000_000),
    sample(null, '', 1_700_000_001_000),
  ]
  expect(encode(records, { producerId: 2 ** 33, producerEpoch: 9, baseSequence: 1234 })).toEqual(expected)
})

test('a record has headers in addition to our own, byte for byte', () => {
  const own = Buffer.from([0, 0, 0, 0, 0, 0, 0, 5])
  const many = Array.from({ length: 70 }, (_, index) => [`n${index}`, Buffer.from([index])] as const)
  const expected = rawBatch({
    leaderEpoch: -1,
    records: [
      rawRecord({
        headers: [
          ['src', own],
          ['trace', Buffer.from('7f')],
          ['none', null],
          ['empty', Buffer.alloc(0)],
        ],
      }),
      rawRecord({ offsetDelta: 1, headers: [['aft', own]] }),
      rawRecord({ offsetDelta: 2, headers: [['aft', own], ...many] }),
      rawRecord({ offsetDelta: 3, headers: many }),
    ],
  })
  const few = new HeaderBlock(1)
  few.add('trace', '7f')
  few.add('none', null)
  few.add('empty', new Uint8Array(0))
  const block = new HeaderBlock()
  for (const [name, value] of many) block.add(name, value)
  const source = Buffer.from('keyvalue')
  const builder = new RecordBatchBuilder(10_000)
  builder.append(source, 0, 3, 3, 5, 0, 5, few)
  builder.append(source, 0, 3, 3, 5, 0, 5, undefined, true)
  builder.append(source, 0, 3, 3, 5, 0, 5, block, true)
  builder.append(source, 0, 3, 3, 5, 0, -1, block)
  expect(builder.seal(noProducer)).toEqual(expected)
  const alone = new RecordBatchBuilder(1)
  alone.append(source, 0, 3, 3, 5, 0, 5, block)
  expect(alone.seal(noProducer)).toHaveLength(batchBytesOfOne(3, 5, true, block))
})

test('seal puts another producer into the same batch when called again', () => {
  const builder = new RecordBatchBuilder(1000)
  append(builder, sample('a', '1'))
  append(builder, sample('b', '2'))
  builder.seal({ producerId: 1, producerEpoch: 0, baseSequence: 5 })
  const again = { producerId: 2, producerEpoch: 32_767, baseSequence: 2 ** 31 - 1 }
  expect(builder.seal(again)).toEqual(encode([sample('a', '1'), sample('b', '2')], again))
  append(builder, sample('c', '3'))
  expect(builder.seal(noProducer)).toEqual(encode([sample('a', '1'), sample('b', '2'), sample('c', '3')]))
})

test('append is false and changes nothing when the record does not fit', () => {
  const room = batchBytesOfOne(3, 10, true)
  const builder = new RecordBatchBuilder(room)
  expect(append(builder, sample('key', '0123456789', 5000, 77))).toBe(true)
  expect(builder).toMatchObject({ count: 1, bytes: room })
  expect(append(builder, sample(null, null, 9000))).toBe(false)
  expect(builder).toMatchObject({ count: 1, bytes: room })
  expect(readAll(Buffer.from(builder.seal(noProducer)))).toEqual([
    { ...sample('key', '0123456789', 5000, 77), offset: 0 },
  ])
})

test('an empty builder accepts one record that is larger than its bound, and releases the memory', () => {
  const builder = new RecordBatchBuilder(100)
  const large = sample('key', 'v'.repeat(5000))
  expect(append(builder, large)).toBe(true)
  expect(append(builder, sample('a', '1'))).toBe(false)
  const sealed = builder.seal(noProducer)
  expect(sealed).toHaveLength(batchBytesOfOne(3, 5000, false))
  expect(readAll(sealed)).toEqual([{ ...large, offset: 0 }])
  builder.reset()
  append(builder, sample('a', '1'))
  expect(builder.seal(noProducer).buffer.byteLength).toBeLessThan(5000)
})

test('append throws entry_too_large when a record passes the hard bound even alone', () => {
  const builder = new RecordBatchBuilder(100)
  const source = Buffer.alloc(hardMaxBytes)
  expect(() => builder.append(source, 0, 1, 0, hardMaxBytes, 0, -1)).toThrow(
    expect.objectContaining({
      code: 'entry_too_large',
      message: expect.stringContaining(`allowed are ${hardMaxBytes}`),
    }),
  )
  expect(builder.count).toBe(0)
})

test('a builder refuses when it has no records to seal, or a source is too short', () => {
  const builder = new RecordBatchBuilder(1000)
  const internal = expect.objectContaining({ code: 'internal' })
  expect(() => builder.seal(noProducer)).toThrow(internal)
  expect(() => builder.append(Buffer.alloc(10), 0, 5, 5, 6, 0, -1)).toThrow(internal)
  expect(() => builder.append(Buffer.alloc(10), 6, 5, 0, 5, 0, -1)).toThrow(internal)
})

test('a builder takes bytes that are no Buffer and bytes that threads share', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(200))
  shared.set(Buffer.from('key' + 'v'.repeat(100)))
  for (const source of [shared, new Uint8Array(shared), Buffer.from(shared)]) {
    const builder = new RecordBatchBuilder(1000)
    builder.append(source.subarray(0, 103), 0, 3, 3, 100, 0, -1)
    expect(readAll(builder.seal(noProducer))).toEqual([{ ...sample('key', 'v'.repeat(100), 0), offset: 0 }])
  }
})

test.each([
  ['nanoseconds', 1_700_000_000_000_000_000, 1_700_000_000_000_000_000],
  ['beyond 64 bits', 1e30, 4e18],
  ['below 64 bits', -1e30, -4e18],
  ['no number', Number.NaN, 0],
])('a timestamp stays within 64 bits when it is %s', (_, timestamp, expected) => {
  const records = [sample('a', '1', timestamp), sample('b', '2', -1), sample('c', '3', timestamp)]
  const read = readAll(encode(records)).map((record) => record.timestamp)
  expect(read[0]).toBe(expected)
  expect(read[2]).toBe(expected)
})

test('sizes are what records take when known before', () => {
  const length = fc.oneof(fc.constant(-1), fc.nat(70), fc.nat(20_000))
  const offset = fc.oneof(fc.constant(-1), fc.maxSafeNat())
  fc.assert(
    fc.property(
      length,
      length,
      offset,
      fc.maxSafeInteger(),
      fc.nat(200),
      (keyLength, valueLength, source, time, before) => {
        const builder = new RecordBatchBuilder(1 << 20)
        const bytes = Buffer.alloc(20_000)
        builder.append(bytes, 0, keyLength, 0, valueLength, 0, source)
        expect(builder.bytes).toBe(batchBytesOfOne(keyLength, valueLength, source >= 0))
        for (let index = 0; index < before; index++) builder.append(bytes, 0, -1, 0, -1, 0, -1)
        const start = builder.bytes
        builder.append(bytes, 0, keyLength, 0, valueLength, time, source)
        const most = recordOverheadBytesMax + Math.max(keyLength, 0) + Math.max(valueLength, 0)
        expect(builder.bytes - start).toBeLessThanOrEqual(most)
      },
    ),
    { numRuns: 200 },
  )
})
