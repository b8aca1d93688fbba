import { expect, test } from 'bun:test'
import { shareOf } from './share.ts'

test('a thread that answers as many lookups for its time does nothing else', () => {
  expect(shareOf({ lookups: 1_000, threadMs: 10 }, { lookups: 1_000, threadMs: 10 })).toBeCloseTo(0)
})

test('the share is what the lookups lose, however long the thread had a processor', () => {
  expect(shareOf({ lookups: 1_000, threadMs: 10 }, { lookups: 500, threadMs: 10 })).toBeCloseTo(0.5)
  expect(shareOf({ lookups: 1_000, threadMs: 10 }, { lookups: 500, threadMs: 5 })).toBeCloseTo(0)
  expect(shareOf({ lookups: 1_000, threadMs: 10 }, { lookups: 500, threadMs: 20 })).toBeCloseTo(0.75)
})
