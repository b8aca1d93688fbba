import { expect, test } from 'bun:test'
import { RecordBatchReader } from '../../../lib/kafka/record-batch/index.ts'
import { RereadFilter } from '../../../lib/store-thread/ingest/reread-filter.ts'
import { rawBatch, rawRecord } from '../../support/kafka/record-batch/raw-batch.ts'

type Given = [offset: number, key: string | null, value: string | null]

/** Keys with offset of those records that count. */
function taken(reread: RereadFilter, records: readonly Given[]): string[] {
  const found: string[] = []
  const reader = new RecordBatchReader()
  for (const [offset, key, value] of records) {
    const batch = rawBatch({ baseOffset: BigInt(offset), records: [rawRecord({ key, value })] })
    reader.open(batch, 0, batch.length)
    reader.nextBatch()
    reader.openRecords({ checkCrc: true })
    while (reader.nextRecord()) if (!reread.passesOver(reader)) found.push(`${key}@${offset}`)
  }
  return found
}

function holding(...keys: string[]) {
  return (bytes: Uint8Array, start: number, length: number) =>
    keys.includes(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1'))
}

test('keys in memory are skipped up to the offset from which all records count', () => {
  const reread = new RereadFilter(10, new Set(), holding('held'))
  expect(
    taken(reread, [
      [1, 'held', 'a'],
      [9, 'held', 'b'],
      [10, 'held', 'c'],
      [11, 'held', null],
    ]),
  ).toEqual(['held@10', 'held@11'])
})

test('keys to be made again, and keys not in memory, count from their first record on, tombstones included', () => {
  const reread = new RereadFilter(10, new Set(['lost']), holding())
  const records: Given[] = [
    [1, 'lost', 'a'],
    [2, 'lost', null],
    [3, 'new', 'a'],
    [4, 'new', null],
    [5, 'new', 'b'],
  ]
  expect(taken(reread, records)).toEqual(['lost@1', 'lost@2', 'new@3', 'new@4', 'new@5'])
})

test('a tombstone of a key not in memory deletes nothing', () => {
  expect(taken(new RereadFilter(10, new Set(), holding()), [[1, 'absent', null]])).toEqual([])
})

test('a record without a key is counted only when it is first read', () => {
  expect(
    taken(new RereadFilter(10, new Set(), holding()), [
      [1, null, 'a'],
      [10, null, 'a'],
    ]),
  ).toEqual(['null@10'])
})

test('a program’s later writes stay', () => {
  const reread = new RereadFilter(10, new Set(['lost']), holding())
  reread.wrote('lost')
  reread.wrote('new')
  expect(
    taken(reread, [
      [1, 'lost', 'a'],
      [2, 'new', 'a'],
      [12, 'lost', 'b'],
    ]),
  ).toEqual(['lost@12'])
})
