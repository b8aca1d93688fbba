import { expect, test } from 'bun:test'
import { HeaderCursor, RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { rawBatch, type RawRecord, rawRecord, varint } from '../../support/kafka/record-batch/raw-batch.ts'

/** A record amid two good ones: what the reader makes of the three. */
function amid(middle: Buffer): (string | number)[] {
  const records = [rawRecord({}), middle, rawRecord({ offsetDelta: 2, key: 'last' })]
  return walk(rawBatch({ baseOffset: 100n, records }))
}

function walk(batch: Buffer): (string | number)[] {
  const reader = new RecordBatchReader()
  reader.open(batch, 0, batch.length)
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  const found: (string | number)[] = []
  while (reader.nextRecord()) found.push(reader.undecodable ? `${reader.offset}: ${reader.fault}` : reader.offset)
  return found
}

test.each<[string, RawRecord, string]>([
  ['its key length is below -1', { keyLength: -2 }, '101: its key length is -2'],
  ['its key is longer than the record', { keyLength: 1000 }, '101: its key length is 1000'],
  ['its value length is below -1', { valueLength: -7 }, '101: its value length is -7'],
  ['its value is longer than the record', { valueLength: 2 ** 31 - 1 }, '101: its value length is 2147483647'],
  ['its header count is negative', { headerCount: -1 }, '101: its header count is -1'],
  ['its header count is absurd', { headerCount: 2 ** 31 - 1 }, '101: its header count is 2147483647'],
  ['it has fewer headers than it says', { headerCount: 1, rest: Buffer.from([0]) }, '101: its header count is 1'],
  ['a header key is null', { headers: [[null, null]] }, '101: its header key length is -1'],
  ['bytes follow its headers', { rest: Buffer.from('more') }, '101: 4 bytes are left over after its headers'],
])('nextRecord reports an undecodable record and continues when %s', (_, middle, fault) => {
  const [first, second, third] = amid(rawRecord({ offsetDelta: 1, ...middle }))
  expect([first, third]).toEqual([100, 102])
  expect(second).toStartWith(fault)
})

test.each<[string, Buffer, string]>([
  ['its offset delta falls', rawRecord({ offsetDelta: 0 }), '101: its offset delta is 0, outside 1 to 2'],
  ['its offset delta passes the batch', rawRecord({ offsetDelta: 3 }), '101: its offset delta is 3, outside 1 to 2'],
  ['it is empty', Buffer.from([0]), '101: its timestamp runs past its end'],
  ['it ends in its offset', Buffer.from([6, 0, 0, 0x80]), '101: its offset runs past its end'],
  ['it ends in its key length', Buffer.from([8, 0, 0, 2, 0x80]), '101: its key length runs past its end'],
  ['it has no header count', Buffer.from([10, 0, 0, 2, 1, 1]), '101: its header count runs past its end'],
  ['its timestamp is too long', overlong(11), '101: its timestamp runs past its end'],
])('nextRecord reports an undecodable record and continues when %s', (_, middle, fault) => {
  const [first, second, third] = amid(middle)
  expect([first, third]).toEqual([100, 102])
  expect(second).toStartWith(fault)
})

/** A record whose timestamp has no end within `bytes`. */
function overlong(bytes: number): Buffer {
  return Buffer.concat([varint(bytes + 10), Buffer.alloc(1), Buffer.alloc(bytes, 0x80), Buffer.alloc(9)])
}

test.each<[string, Buffer, string]>([
  ['is negative', rawRecord({ offsetDelta: 1, length: -3 }), 'record 1 of 3 has length -3 with'],
  ['passes the batch', rawRecord({ offsetDelta: 1, length: 5000 }), 'record 1 of 3 has length 5000 with'],
  ['has no end', Buffer.alloc(12, 0x80), 'record 1 of 3 has no readable length'],
  ['leads into the next', rawRecord({ offsetDelta: 1, length: 9 }), 'record 1 of 3 has length 9, where no record'],
])('nextRecord throws when the length of a record %s', (_, middle, found) => {
  expect(() => amid(middle)).toThrow(found)
})

test('nextRecord throws when bytes are left over after the last record', () => {
  const records = [rawRecord({}), rawRecord({ offsetDelta: 1 })]
  expect(() => walk(rawBatch({ records, recordCount: 1 }))).toThrow(' bytes are left over after its 1 records')
  expect(() => walk(rawBatch({ body: Buffer.from('more') }))).toThrow('4 bytes are left over after its 0 records')
})

test('nextRecord throws when a malformed record is the last and does not end with the batch', () => {
  expect(() => walk(rawBatch({ records: [rawRecord({ keyLength: -2 }), Buffer.alloc(3)], recordCount: 1 }))).toThrow(
    'where no record follows; its key length is -2',
  )
})

test('nextRecord throws when fewer records are there than the header says', () => {
  const record = rawRecord({ value: 'long enough that two could be in here' })
  expect(() => walk(rawBatch({ records: [record], recordCount: 2 }))).toThrow('record 1 of 2 has no readable length')
})

test('nextRecord says where the headers are, and which of them are ours', () => {
  const headers = [
    ['a', Buffer.from('1')],
    ['aft', Buffer.from([0, 0, 0, 0, 0, 0, 1, 2])],
    ['b', null],
  ] as const
  const records = [
    rawRecord({ headers }),
    rawRecord({ offsetDelta: 1 }),
    rawRecord({
      offsetDelta: 2,
      headers: [
        ['src', Buffer.alloc(8)],
        ['aft', Buffer.alloc(7)],
      ],
    }),
    rawRecord({ offsetDelta: 3, headers: [['aft', Buffer.alloc(8, 0xff)]] }),
  ]
  const batch = rawBatch({ records })
  const reader = new RecordBatchReader()
  reader.open(batch, 0, batch.length)
  reader.nextBatch()
  reader.openRecords({ checkCrc: true })
  const found: unknown[] = []
  const cursor = new HeaderCursor()
  while (reader.nextRecord()) {
    const { data, headerCount, headersStart, headersEnd } = reader
    const names: string[] = []
    if (headerCount > 0) cursor.open(data, headersStart, headersEnd)
    for (let left = headerCount; left > 0 && cursor.next(); left--) {
      const { nameStart, nameEnd, valueStart, valueLength } = cursor
      const value = valueLength < 0 ? null : data.toString('latin1', valueStart, valueStart + valueLength)
      names.push(data.toString('latin1', nameStart, nameEnd) + (valueLength === 1 ? `=${value}` : ''))
    }
    found.push([names, reader.sourceOffset(), reader.afterOffset()])
  }
  expect(found).toEqual([
    [['a=1', 'aft', 'b'], -1, 258],
    [[], -1, -1],
    [['src', 'aft'], 0, -1],
    [['aft'], -1, -1],
  ])
})
