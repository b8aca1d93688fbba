import { expect, test } from 'bun:test'
import { shareOf, type ThreadLoad } from './share.ts'

const busy = { waitedMs: 0, wallMs: 10 }
const alone: ThreadLoad = { lookups: 1_000, ranMs: 10, ...busy }

test('a thread that answers as many lookups for its time does nothing else', () => {
  expect(shareOf(alone, alone)).toBeCloseTo(0)
})

test('the share is what the lookups lose, however long the thread had a processor', () => {
  expect(shareOf(alone, { lookups: 500, ranMs: 10, ...busy })).toBeCloseTo(0.5)
  expect(shareOf(alone, { lookups: 500, ranMs: 5, waitedMs: 5, wallMs: 10 })).toBeCloseTo(0)
  expect(shareOf(alone, { lookups: 500, ranMs: 20, waitedMs: 0, wallMs: 20 })).toBeCloseTo(0.75)
})

test('a thread that the lookups alone left idle says nothing about the share', () => {
  expect(shareOf({ lookups: 500, ranMs: 5, waitedMs: 0, wallMs: 10 }, alone)).toBeUndefined()
  expect(shareOf({ lookups: 500, ranMs: 5, waitedMs: 5, wallMs: 10 }, alone)).toBeCloseTo(0)
})
