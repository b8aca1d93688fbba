import { expect, test } from 'bun:test'
import { discardOffset } from '../../../lib/store-thread/recovery/source-trail.ts'
import { WrittenTrail } from '../../../lib/store-thread/repair/written-trail.ts'
import { batchOf, type Entry } from '../../support/store-thread/repair-setup.ts'

function upTo(...marks: Entry[2][]): number {
  const trail = new WrittenTrail()
  const batch = batchOf(...marks.map((mark, index): Entry => [`k${index}`, 'v', mark]))
  while (batch.nextRecord()) trail.note(batch)
  return trail.upTo
}

test('WrittenTrail is unknown when no record names a source offset', () => {
  expect(upTo()).toBe(-1)
  expect(upTo(undefined, undefined)).toBe(-1)
})

test('WrittenTrail reaches up to the highest source offset, or the offset that a record follows', () => {
  expect(upTo(0, 4, 9)).toBe(9)
  expect(upTo(0, 4, { aft: 11 })).toBe(11)
  expect(upTo(0, 4, { aft: 3 })).toBe(4)
})

test('WrittenTrail begins again at a discard', () => {
  expect(upTo(0, 90, discardOffset)).toBe(-1)
  expect(upTo(0, 90, 20, discardOffset, discardOffset, 1)).toBe(1)
})

test('WrittenTrail counts the lowest offset since a fall, until one comes that is higher than all before', () => {
  expect(upTo(7, 8, 9, 3)).toBe(3)
  expect(upTo(7, 8, 9, 3, 5, 4)).toBe(3)
  expect(upTo(7, 8, 9, 3, 5, { aft: 12 })).toBe(3)
  expect(upTo(7, 8, 9, 3, 5, 10)).toBe(10)
  expect(upTo(7, 9, 9)).toBe(9)
})
