import { expect, test } from 'bun:test'
import { covered } from './standstill.ts'

test('a standstill counts once, regardless of the number of processors that stood still', () => {
  expect(covered([], 0, 10)).toBe(0)
  expect(covered([[2, 5]], 0, 10)).toBe(3)
  expect(
    covered(
      [
        [2, 5],
        [3, 4],
      ],
      0,
      10,
    ),
  ).toBe(3)
  expect(
    covered(
      [
        [3, 7],
        [2, 5],
      ],
      0,
      10,
    ),
  ).toBe(5)
  expect(
    covered(
      [
        [2, 5],
        [6, 8],
      ],
      0,
      10,
    ),
  ).toBe(5)
})

test('only standstills between the two times count', () => {
  expect(covered([[2, 5]], 3, 4)).toBe(1)
  expect(
    covered(
      [
        [2, 5],
        [8, 12],
      ],
      4,
      10,
    ),
  ).toBe(3)
  expect(
    covered(
      [
        [0, 2],
        [12, 15],
      ],
      2,
      12,
    ),
  ).toBe(0)
})
