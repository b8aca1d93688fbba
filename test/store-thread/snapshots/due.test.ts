import { expect, test } from 'bun:test'
import { isDue } from '../../../lib/store-thread/snapshots/due.ts'

const now = 1_000_000
const last = { endedAt: now - 60_000, position: 100, records: 90 }
const never = { endedAt: -Infinity, position: -1, records: -1 }

test.each([
  ['it is time, and something has changed', last, 101, 91, false, true],
  ['nothing has changed', last, 100, 90, false, false],
  ['nothing has changed, and it is aging', last, 100, 90, true, true],
  ['it is too early', { ...last, endedAt: now - 59_999 }, 101, 91, false, false],
  ['it is too early, and it is aging', { ...last, endedAt: now - 59_999 }, 100, 90, true, false],
  ['it is early, with 499,999 records more', { ...last, endedAt: now - 1 }, 600_000, 500_089, false, false],
  ['it is early, with 500,000 records more', { ...last, endedAt: now - 1 }, 600_000, 500_090, false, true],
  ['there is none yet', never, 5, 5, false, true],
  ['an attempt has failed just now, before the first', { ...never, endedAt: now - 1 }, 900_000, 900_000, false, false],
  ['the partition is lost', last, -1, 91, true, false],
])('a snapshot is due, or is not, when %s', (_when, before, position, records, isAging, expected) => {
  expect(isDue(before, position, records, 60, now, isAging)).toBe(expected)
})
