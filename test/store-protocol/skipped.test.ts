import { expect, test } from 'bun:test'
import { reasonOf, reasonsText, skippedOf, skippedReasons } from '../../lib/store-protocol/skipped.ts'
import { counterNames, Stats } from '../../lib/store-protocol/stats.ts'

test('every counter of skipped records has a reason', () => {
  const counters = counterNames.filter((name) => name.startsWith('skipped'))
  expect(skippedReasons.map(([, counter]) => counter)).toEqual(counters)
  expect(reasonOf('skippedTooLarge')).toBe('too_large')
})

test('skippedOf adds up what was skipped, with the reasons that occurred', () => {
  const stats = new Stats([0])
  expect(skippedOf(stats)).toEqual({ total: 0, byReason: {} })
  stats.add('skippedTooLarge', 2)
  stats.add('skippedNullKey', 1)
  expect(skippedOf(stats)).toEqual({ total: 3, byReason: { null_key: 1, too_large: 2 } })
  expect(reasonsText(skippedOf(stats))).toBe('null_key 1, too_large 2')
})
