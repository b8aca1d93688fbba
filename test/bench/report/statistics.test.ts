import { expect, test } from 'bun:test'
import { percentile, spreadOf } from './statistics.ts'

test('spreadOf gives the middle value, the mean of the two middle ones where their number is even, least and most', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, count: 3 })
  expect(spreadOf([10, 9, 100, 1])).toEqual({ median: 9.5, min: 1, max: 100, count: 4 })
  expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7, count: 1 })
  expect(() => spreadOf([])).toThrow(RangeError)
})

test('percentile gives the least value that the share does not exceed', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(percentile(values, 0.5)).toBe(100)
  expect(percentile(values, 0.99)).toBe(198)
  expect(percentile(values, 1)).toBe(200)
  expect(percentile([3], 0.01)).toBe(3)
  expect(() => percentile([], 0.5)).toThrow(RangeError)
})
