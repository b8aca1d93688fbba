import { expect, test } from 'bun:test'
import { HeaderBlock } from '../../lib/kafka/record-batch/index.ts'
import type { ChiralMap } from '../../lib/map/index.ts'
import { decodeKeptHeaders, splitHeaderPrefix, withoutHeaders } from '../../lib/store-protocol/header-prefix.ts'
import { HeaderSelector, headerSelectorOf, keptHeaderBytesMax } from '../../lib/store-protocol/kept-headers.ts'
import { rawBatch, type RawRecord, rawRecord } from '../support/kafka/record-batch/raw-batch.ts'
import { opened } from '../support/store-thread/stand-ins.ts'

type Headers = NonNullable<RawRecord['headers']>

function at(record: RawRecord) {
  const reader = opened(rawBatch({ records: [rawRecord(record)] }))
  reader.nextRecord()
  return reader
}

function select(kept: HeaderSelector, headers: Headers): string[] {
  const { bytes, length } = kept.select(at({ headers }))
  return decodeKeptHeaders({ headerBlock: Buffer.from(bytes.subarray(0, length)) }).map(
    ([name, value]) => `${name}=${value.length}`,
  )
}

const text = (value: string) => Buffer.from(value)

test('headers are selected by name or prefix', () => {
  const kept = new HeaderSelector(['id', 'x-*'])
  const headers: Headers = [
    ['id', text('1')],
    ['idx', text('no')],
    ['i', text('no')],
    ['x-a', null],
    ['x-', text('')],
    ['x', text('no')],
    ['id', text('22')],
  ]
  expect(select(kept, headers)).toEqual(['id=1', 'x-a=0', 'x-=0', 'id=2'])
  expect(select(kept, [])).toEqual([])
})

test('headers that the changelog gives its own records are never selected', () => {
  const headers: Headers = [
    ['src', Buffer.alloc(8)],
    ['aft', Buffer.alloc(8)],
    ['source', text('1')],
  ]
  expect(select(new HeaderSelector(['*']), headers)).toEqual(['source=1'])
  expect(select(new HeaderSelector(['s*', 'a*']), headers)).toEqual(['source=1'])
})

test('headers beyond the size limit are omitted', () => {
  const kept = new HeaderSelector(['*'])
  const half = Buffer.alloc(keptHeaderBytesMax / 2 - 4)
  expect(
    select(kept, [
      ['a', half],
      ['b', half],
      ['c', text('1')],
    ]),
  ).toEqual([`a=${half.length}`, `b=${half.length}`])
  expect(kept.omitted).toBe(1)
  expect(
    select(kept, [
      ['a', Buffer.alloc(keptHeaderBytesMax)],
      ['b', text('1')],
    ]),
  ).toEqual(['b=1'])
  expect(select(kept, [])).toEqual([])
  expect(kept.omitted).toBe(0)
})

test.each<[string, RawRecord]>([
  [
    'headers',
    {
      value: 'value',
      headers: [
        ['id', text('1')],
        ['no', text('2')],
      ],
    },
  ],
  ['none', { value: 'value' }],
  ['a large value', { value: 'v'.repeat(100_000), headers: [['id', text('1')]] }],
  ['an empty value', { value: '', headers: [['id', text('1')]] }],
])('a value is the same after memory, with %s', (_, record) => {
  const puts: Uint8Array[] = []
  const map = {
    put: (_partition: number, data: Buffer, _key: number, _keyLength: number, start: number, length: number) =>
      void puts.push(Uint8Array.from(data.subarray(start, start + length))),
  } as unknown as ChiralMap
  new HeaderSelector(['id']).put(map, 0, at(record), 5)
  const found = splitHeaderPrefix({ value: puts[0]!, partition: 0, offset: 5, timestamp: 0 })
  expect(Buffer.from(found.value).toString()).toBe(record.value as string)
  expect(Buffer.from(withoutHeaders(puts[0]!)).toString()).toBe(record.value as string)
  expect(decodeKeptHeaders(found)).toEqual(record.headers === undefined ? [] : [['id', new Uint8Array(text('1'))]])
})

test('a tombstone has no headers in memory', () => {
  const lengths: number[] = []
  const map = { put: (...args: number[]) => void lengths.push(args[5]!) } as unknown as ChiralMap
  new HeaderSelector(['id']).put(map, 0, at({ value: null, headers: [['id', text('1')]] }), 5)
  expect(lengths).toEqual([-1])
})

test('nothing is kept without a name', () => {
  expect(headerSelectorOf({})).toBeUndefined()
  expect(headerSelectorOf({ keepHeaders: [] })).toBeUndefined()
  expect(decodeKeptHeaders({})).toEqual([])
})

test('a header of a name beyond ASCII is read as UTF-8', () => {
  const block = new HeaderBlock(1)
  block.add('größe', 'ß')
  expect(decodeKeptHeaders({ headerBlock: block.bytes.subarray(0, block.length) })).toEqual([
    ['größe', new Uint8Array(text('ß'))],
  ])
})
