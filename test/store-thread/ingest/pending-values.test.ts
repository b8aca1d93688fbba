import { expect, test } from 'bun:test'
import { PendingValues } from '../../../lib/store-thread/ingest/pending-values.ts'

const bytes = (text: string) => Buffer.from(text)

test('PendingValues returns the value of the last record noted for a key, and nothing for other keys', () => {
  const pending = new PendingValues()
  pending.note('a', bytes('one'), 0)
  pending.note('b', null, 1)
  pending.note('a', bytes('two'), 2)
  expect(pending.get('a')).toEqual(bytes('two'))
  expect(pending.get('b')).toBeNull()
  expect(pending.get('c')).toBeUndefined()
})

test('PendingValues holds a key until the operations of its last record are absorbed', () => {
  const pending = new PendingValues()
  for (const [offset, key] of ['a', 'b', 'a', 'c'].entries()) pending.note(key, bytes(`${offset}`), offset)
  pending.acknowledged(2, 12)
  pending.acknowledged(3, 13)
  pending.release(11)
  expect(pending.size).toBe(3)
  pending.release(12)
  // The younger record of `a` is still on its way.
  expect([pending.get('a'), pending.get('b'), pending.get('c')]).toEqual([bytes('2'), undefined, bytes('3')])
  pending.release(20)
  expect([pending.get('a'), pending.get('c')]).toEqual([undefined, bytes('3')])
  pending.acknowledged(4, 14)
  pending.release(20)
  expect(pending.size).toBe(0)
})

test('PendingValues holds a write of a program until a later record is absorbed, or all are settled', () => {
  const pending = new PendingValues()
  pending.note('a', bytes('0'), 0)
  pending.note('a', bytes('direct'), 1)
  pending.acknowledged(1, 1)
  pending.release(1)
  expect(pending.get('a')).toEqual(bytes('direct'))
  pending.acknowledged(Number.POSITIVE_INFINITY, 2)
  pending.release(2)
  expect(pending.size).toBe(0)
})

test('PendingValues holds values noted after all were settled, even if absorbed meanwhile', () => {
  const pending = new PendingValues()
  for (let round = 0; round < 6_000; round++) {
    pending.note('a', bytes('before'), 2 * round)
    pending.acknowledged(Number.POSITIVE_INFINITY, round)
    pending.note('a', bytes('after'), 2 * round + 1)
    pending.release(round)
    expect(pending.get('a')).toEqual(bytes('after'))
  }
})

test('PendingValues drops released values, for any number of records', () => {
  const pending = new PendingValues()
  for (let offset = 0; offset < 50_000; offset++) {
    pending.note(`${offset % 7}`, null, offset)
    if (offset % 100 === 99) pending.acknowledged(offset + 1, offset + 1)
    pending.release(offset - 1_000)
  }
  expect(pending.size).toBe(7)
  pending.acknowledged(50_000, 50_000)
  pending.release(50_000)
  expect(pending.size).toBe(0)
})
