import { expect, test } from 'bun:test'
import { HeaderBlock, HeaderCursor, RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { reasonOf } from '../../../lib/store-protocol/skipped.ts'
import { BatchPool } from '../../../lib/store-thread/ingest/changelog-batch.ts'
import { type BadRecord, DeadLetterBatch } from '../../../lib/store-thread/ingest/dead-letter-batch.ts'
import type { Fault } from '../../../lib/store-thread/ingest/dead-letter-headers.ts'
import { PartitionIngest } from '../../../lib/store-thread/ingest/partition-ingest.ts'

const fault: Fault = { topic: 'orders', partition: 0, offset: 7, reason: 'skippedTooLarge', message: 'too large' }

/** A record with the header `trace`. */
function found(key: string | null, value: string | null, trace = '7f'): BadRecord {
  const headers = new HeaderBlock()
  headers.add('trace', trace)
  const keyBytes = Buffer.from(key ?? '')
  const valueBytes = Buffer.from(value ?? '')
  const headersStart = keyBytes.length + valueBytes.length
  return {
    data: Buffer.concat([keyBytes, valueBytes, headers.bytes.subarray(0, headers.length)]),
    keyStart: 0,
    keyLength: key === null ? -1 : keyBytes.length,
    valueStart: keyBytes.length,
    valueLength: value === null ? -1 : valueBytes.length,
    headersStart,
    headersEnd: headersStart + headers.length,
    headerCount: 1,
    timestamp: 1000,
  }
}

/** Key, value, whether it has its own headers, what is said to be omitted, whether its timestamp is the record's. */
function lettersIn(batch: DeadLetterBatch): unknown[][] {
  const bytes = batch.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1 })
  const reader = new RecordBatchReader()
  const cursor = new HeaderCursor()
  reader.open(bytes, 0, bytes.length)
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  const deadLetters: unknown[][] = []
  while (reader.nextRecord()) {
    const { data, keyStart, keyLength, valueStart, valueLength, headersStart, headersEnd } = reader
    const text = (start: number, length: number) => (length < 0 ? null : data.toString('utf8', start, start + length))
    const headers = new Map<string, string | null>()
    for (cursor.open(data, headersStart, headersEnd); cursor.next();) {
      const name = data.toString('utf8', cursor.nameStart, cursor.nameEnd)
      expect(headers.has(name), name).toBe(false)
      headers.set(name, text(cursor.valueStart, cursor.valueLength))
    }
    expect(headers.get('__latchkey.errors.message')).toBe('too large')
    const omitted = headers.get('__latchkey.errors.omitted')
    deadLetters.push([
      text(keyStart, keyLength),
      text(valueStart, valueLength),
      headers.has('trace'),
      omitted,
      reader.timestamp === 1000,
    ])
  }
  return deadLetters
}

function batchOf(...records: BadRecord[]): DeadLetterBatch {
  const batch = new DeadLetterBatch(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)))
  for (const [index, record] of records.entries()) batch.add(record, { ...fault, offset: index }, 'orders', 100_000)
  return batch
}

/** What is written instead of a batch that was sent and refused. */
function refuse(batch: DeadLetterBatch, timeAtFault = false): DeadLetterBatch[] | undefined {
  batch.seal({ producerId: -1, producerEpoch: -1, baseSequence: -1 })
  return batch.parts(timeAtFault)
}

test.each([
  [2000, ['k', 'v'.repeat(1000), true, undefined, true]],
  [900, ['k', null, true, 'value', true]],
])('a dead letter has what a topic of %p bytes has room for', (maxMessageBytes, expected) => {
  const batch = new DeadLetterBatch(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)))
  batch.add(found('k', 'v'.repeat(1000)), fault, 'orders', maxMessageBytes)
  expect(lettersIn(batch)).toEqual([expected])
})

test.each([
  ['its headers', found('k', 'v', 'h'.repeat(1000)), ['k', null, false, 'value, headers', true]],
  ['its key', found('k'.repeat(1000), 'v'), [null, null, false, 'key, value, headers', true]],
])('a dead letter omits what is too large: %s', (_, record, expected) => {
  const batch = new DeadLetterBatch(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)))
  batch.add(record, fault, 'orders', 900)
  expect(lettersIn(batch)).toEqual([expected])
})

test('dead letters of a refused batch are written one by one, and the one at fault with less and less', () => {
  const parts = refuse(batchOf(found('a', '1'), found('b', '2')))!
  expect(parts.map(({ offsets }) => offsets)).toEqual([[0], [1]])
  expect(parts.flatMap(lettersIn)).toEqual([
    ['a', '1', true, undefined, true],
    ['b', '2', true, undefined, true],
  ])
  const written: unknown[][] = []
  for (let left = refuse(parts[1]!); left !== undefined; left = refuse(left[0]!)) {
    written.push(...lettersIn(left[0]!))
  }
  expect(written).toEqual([
    ['b', null, true, 'value', true],
    ['b', null, false, 'value, headers', true],
    [null, null, false, 'key, value, headers', true],
  ])
})

test('a dead letter first gets the current time when the topic refuses its timestamp', () => {
  const [retimed] = refuse(batchOf(found('a', '1')), true)!
  expect(lettersIn(retimed!)).toEqual([['a', '1', true, undefined, false]])
  expect(lettersIn(refuse(retimed!, true)![0]!)).toEqual([['a', null, true, 'value', false]])
})

test('add is false and changes nothing when a batch is full', () => {
  const batch = new DeadLetterBatch(new PartitionIngest(0, 0, new BatchPool(1 << 20, 4)), 1000)
  expect(batch.add(found('a', 'v'.repeat(500)), fault, 'orders', 100_000)).toBe(true)
  expect(batch.add(found('b', 'v'.repeat(500)), fault, 'orders', 100_000)).toBe(false)
  expect(batch).toMatchObject({ count: 1, offsets: [7] })
})

test('reasons have the names of the metrics', () => {
  expect((['skippedNullKey', 'skippedCorruptBatch', 'skippedConversion'] as const).map(reasonOf)).toEqual([
    'null_key',
    'corrupt_batch',
    'conversion',
  ])
})
