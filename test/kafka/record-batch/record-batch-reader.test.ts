import { expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { LatchkeyError } from '../../../lib/errors.ts'
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { type RawBatch, rawBatch, rawRecord, withCrc } from '../../support/kafka/record-batch/raw-batch.ts'
import { currentRecord, encode, readAll, sample } from '../../support/kafka/record-batch/samples.ts'

const three = [0, 1, 2].map((offsetDelta) => rawRecord({ offsetDelta, key: `k${offsetDelta}`, value: 'v' }))

function opened(bytes: Buffer): RecordBatchReader {
  const reader = new RecordBatchReader()
  reader.open(bytes, 0, bytes.length)
  return reader
}

/** On the first batch of `bytes`. */
function onBatch(bytes: Buffer): RecordBatchReader {
  const reader = opened(bytes)
  expect(reader.nextBatch()).toBe(true)
  return reader
}

test.each<[string, RawBatch, string]>([
  ['its length is negative', { batchLength: -5 }, 'its length field is -5'],
  ['its length is too small for any message', { batchLength: 13 }, 'its length field is 13'],
  ['its length is too small for its header', { batchLength: 48 }, 'its length field is 48, less than its header takes'],
  ['its magic is 0', { magic: 0 }, 'its magic is 0, the message format before Kafka 0.11'],
  ['its magic is 1', { magic: 1, batchLength: 20 }, 'its magic is 1, the message format before Kafka 0.11'],
  ['its magic is of the future', { magic: 3 }, 'its magic is 3, known is 2'],
  ['its record count is negative', { recordCount: -1 }, 'its record count is -1'],
  [
    'its record count is more than fits',
    { records: three, recordCount: 2 ** 31 - 1 },
    'its record count is 2147483647',
  ],
  ['its last offset delta is negative', { lastOffsetDelta: -1 }, 'its last offset delta is -1 with 0 records'],
  ['its last offset delta is too small', { records: three, lastOffsetDelta: 1 }, 'its last offset delta is 1 with 3'],
  ['its base offset is negative', { baseOffset: -1n }, 'its offsets are outside 0 to 2^53 - 1'],
  ['its base offset passes 2^53', { baseOffset: 2n ** 53n - 1n }, 'its offsets are outside 0 to 2^53 - 1'],
  ['its compression is unknown', { attributes: 5 }, 'its compression code is 5'],
  ['its producer id is no exact number', { producerId: 2n ** 60n }, 'its producer id is 1152921504606847000'],
])('nextBatch throws, and again, when %s', (_, fields, found) => {
  const reader = opened(rawBatch(fields))
  for (let time = 0; time < 2; time++) expect(corruption(() => reader.nextBatch()).message).toContain(found)
})

test('openRecords throws when the compressed record count is absurd', () => {
  const body = gzipSync(Buffer.alloc(100))
  const reader = onBatch(rawBatch({ attributes: 1, recordCount: 2 ** 31 - 1, body }))
  const found = corruption(() => reader.openRecords({ checkCrc: true })).message
  expect(found).toContain('2147483647 records cannot be in 100 decompressed bytes')
})

test('nextBatch is false and says the full size when the last batch is cut off', () => {
  const whole = encode([sample('a', '1')])
  const partial = encode([sample('b', '2')])
  for (let cut = 0; cut < partial.length; cut++) {
    const reader = onBatch(Buffer.concat([whole, partial.subarray(0, cut)]))
    expect(reader.nextBatch()).toBe(false)
    expect(reader.partialBytes).toBe(cut < 12 ? -1 : partial.length)
    expect(reader.nextOffset).toBe(1)
    expect(reader.nextBatch()).toBe(false)
  }
})

test('nextBatch passes over records when they are not read, or only some', () => {
  const reader = opened(Buffer.concat([encode([sample('a', '1'), sample('b', '2')]), encode([sample('c', '3')])]))
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  reader.nextRecord()
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  reader.nextRecord()
  expect(currentRecord(reader).key?.toString()).toBe('c')
})

test('nextBatch moves the position when compaction has emptied the batch or thinned it out', () => {
  const emptied = rawBatch({ baseOffset: 10n, lastOffsetDelta: 4 })
  const thinned = rawBatch({
    baseOffset: 15n,
    lastOffsetDelta: 9,
    records: [rawRecord({ offsetDelta: 3 }), rawRecord({ offsetDelta: 8 })],
  })
  const reader = onBatch(Buffer.concat([emptied, thinned]))
  expect(reader).toMatchObject({ baseOffset: 10, nextOffset: 15, recordCount: 0 })
  reader.openRecords({ checkCrc: true })
  expect(reader.nextRecord()).toBe(false)
  expect(reader.nextBatch()).toBe(true)
  expect(reader).toMatchObject({ baseOffset: 15, nextOffset: 25, recordCount: 2 })
  expect(readAll(thinned).map((record) => record.offset)).toEqual([18, 23])
})

test('timestamps are the broker’s when the batch was stamped on append', () => {
  const batch = rawBatch({ attributes: 0x08, baseTimestamp: 1000n, maxTimestamp: 5000n, records: three })
  expect(onBatch(batch).timestampType).toBe(1)
  expect(readAll(batch).map((record) => record.timestamp)).toEqual([5000, 5000, 5000])
})

test.each([
  [-1n, 0n, -1],
  [1_700_000_000_000n, -2_000_000_000_000n, -300_000_000_000],
  [0n, 8_640_000_000_000_000n, 8_640_000_000_000_000],
  [2n ** 53n - 1n, -(2n ** 53n) + 1n, 0],
  [1_700_000_000_000_000_000n, 0n, 1_700_000_000_000_000_000], // nanoseconds by mistake
  [-(2n ** 63n), 2n ** 63n - 1n, 0],
])('a timestamp is base plus delta when they are %d and %d', (baseTimestamp, timestampDelta, expected) => {
  const batch = rawBatch({ baseTimestamp, records: [rawRecord({ timestampDelta })] })
  expect(readAll(batch)[0]?.timestamp).toBe(expected)
})

test.each([
  ['abort', Buffer.from([0, 0, 0, 0]), 0],
  ['commit', Buffer.from([0, 0, 0, 1]), 1],
  ['an unknown type', Buffer.from([0, 0, 0, 5]), -1],
  ['a short key', Buffer.from([0, 0, 1]), -1],
])('controlType reports %s when the batch is a marker', (_, key, expected) => {
  const attributes = 0x20 | 0x10
  const batch = rawBatch({ attributes, producerId: 7n, producerEpoch: 2, records: [rawRecord({ key })] })
  const reader = onBatch(batch)
  expect(reader).toMatchObject({ isControl: true, isTransactional: true, producerId: 7, producerEpoch: 2 })
  expect(reader.controlType()).toBe(expected)
  reader.openRecords({ checkCrc: true })
  expect(reader.nextRecord()).toBe(true)
  expect(reader.controlType()).toBe(expected)
})

test('controlType is -1 when the batch is no marker', () => {
  expect(onBatch(rawBatch({ records: [rawRecord({ key: Buffer.from([0, 0, 0, 1]) })] })).controlType()).toBe(-1)
  expect(onBatch(rawBatch({ attributes: 0x20 })).controlType()).toBe(-1)
})

const eight = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

test.each<[string, readonly (readonly [string, Buffer | null])[], number]>([
  ['it is there', [['src', eight(123_456_789_012n)]], 123_456_789_012],
  [
    'it stands amid others',
    [
      ['source', eight(1n)],
      ['src', eight(2n)],
      ['', null],
      ['ключ', Buffer.alloc(300)],
    ],
    2,
  ],
  ['it is there twice: the last', [['src', eight(1n)], ['src', eight(2n)]], 2], // prettier-ignore
  [
    'the last one is odd',
    [
      ['src', eight(1n)],
      ['src', Buffer.from('2')],
    ],
    -1,
  ],
  ['it is null', [['src', null]], -1],
  ['it is negative', [['src', eight(-1n)]], -1],
  ['it is no exact number', [['src', eight(2n ** 53n)]], -1],
  ['it is another', [['SRC', eight(5n)]], -1],
  ['there are none', [], -1],
])('sourceOffset is the value of the header src when %s', (_, headers, expected) => {
  const [first, second] = readAll(rawBatch({ records: [rawRecord({ headers }), rawRecord({ offsetDelta: 1 })] }))
  expect(first?.sourceOffset).toBe(expected)
  expect(second?.sourceOffset).toBe(-1)
})

test('openRecords names both sums when the CRC does not fit, and the next batch can be read', () => {
  const broken = rawBatch({ baseOffset: 42n, records: three })
  broken[70]! ^= 1
  const reader = onBatch(Buffer.concat([broken, encode([sample('a', '1')])]))
  const error = corruption(() => reader.openRecords({ checkCrc: true }))
  expect(error.message).toMatch(
    /^Reading record batch at offset 42 \(\d+ bytes, none\): its CRC32C is 0x[0-9a-f]+, its header says 0x[0-9a-f]+; /,
  )
  expect(error.details).toEqual({ baseOffset: 42, nextOffset: 45, batchBytes: broken.length })
  expect(reader.nextBatch()).toBe(true)
  reader.openRecords({ checkCrc: true })
  expect(reader.nextRecord()).toBe(true)
})

test('openRecords passes over the CRC when asked to', () => {
  const batch = rawBatch({ records: three })
  batch[17]! ^= 1
  const reader = onBatch(batch)
  reader.openRecords({ checkCrc: false })
  expect(reader.nextRecord()).toBe(true)
})

const internal = expect.objectContaining({ code: 'internal' })

test('the reader refuses to continue when it is used out of order', () => {
  const reader = opened(encode([sample('a', '1')]))
  expect(() => reader.openRecords({ checkCrc: true })).toThrow(internal)
  reader.nextBatch()
  expect(() => reader.nextRecord()).toThrow(internal)
  reader.nextBatch()
  expect(() => reader.openRecords({ checkCrc: true })).toThrow(internal)
  expect(() => reader.open(Buffer.alloc(10), 0, 11)).toThrow(internal)
})

test('the reader keeps no buffer when it has come to the end', () => {
  const batch = encode([sample('a', '1')])
  const reader = onBatch(batch)
  reader.openRecords({ checkCrc: true })
  expect(reader.data).toBe(batch)
  reader.nextBatch()
  expect(reader.data).toHaveLength(0)
})

test('a batch can be opened again when its records were read before', () => {
  const reader = onBatch(withCrc(encode([sample('a', '1'), sample('b', '2')])))
  for (let time = 0; time < 2; time++) {
    reader.openRecords({ checkCrc: true })
    expect([reader.nextRecord(), reader.nextRecord(), reader.nextRecord(), reader.nextRecord()]).toEqual([
      true,
      true,
      false,
      false,
    ])
  }
})

function corruption(call: () => unknown): LatchkeyError {
  try {
    call()
  } catch (error) {
    if (error instanceof LatchkeyError && error.code === 'record_batch_corrupt') return error
    throw error
  }
  throw new Error('nothing was thrown')
}
