import { expect, test } from 'bun:test'
import { backoffMs } from '../../lib/page/backoff.ts'
import { appended, drawingOf } from '../../lib/page/series.ts'

test('a series keeps two minutes', () => {
  const values = Array.from({ length: 130 }).reduce<number[]>((before, _, index) => appended(before, index), [])
  expect([values.length, values[0], values.at(-1)]).toEqual([120, 10, 129])
})

test('the newest value is at the right, the largest at the top, and a gap stays empty', () => {
  const { line, area, max } = drawingOf([0, 4, null, 2], 119, 42)
  expect(line).toBe('M116 41L117 1M119 21h.1')
  expect(area).toBe('M116 42L116 41L117 1L117 42ZM119 42L119 21L119 42Z')
  expect(max).toBe(4)
})

test.each([[[]], [[null]], [[0, 0]]])('%j draws no invalid path', (values) => {
  const { line, area } = drawingOf(values, 100, 40)
  expect(line + area).not.toMatch(/NaN|Infinity|undefined/)
})

test('waits grow up to ten seconds, with jitter', () => {
  expect([1, 2, 3, 4, 5, 6, 1_000].map((failures) => backoffMs(failures, 0.5))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000,
  ])
  expect([backoffMs(1, 0), backoffMs(1, 1)]).toEqual([375, 625])
})
