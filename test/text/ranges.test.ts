import { expect, test } from 'bun:test'
import { rangesOf } from '../../lib/text/ranges.ts'

test.each([
  [[], ''],
  [[4], '4'],
  [[0, 1, 2, 3, 7], '0-3, 7'],
  [[0, 1], '0-1'],
])('%j is %p', (numbers, text) => {
  expect(rangesOf(numbers)).toBe(text)
})

test('beyond a number of ranges the others are counted', () => {
  expect(rangesOf([0, 1, 2, 4, 6, 7, 9], 2)).toBe('0-2, 4 and 3 more')
  expect(rangesOf([0, 1, 2, 4], 2)).toBe('0-2, 4')
})
