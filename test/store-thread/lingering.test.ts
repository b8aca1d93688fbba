/** How long partitions stay that are not wanted any more. */
import { expect, test } from 'bun:test'
import { Lingering } from '../../lib/store-thread/lingering.ts'
import { until } from '../support/until.ts'

test('a partition stays for its time, which begins when it is not wanted any more', async () => {
  let expired = 0
  const lingering = new Lingering(1, () => expired++)
  expect(lingering.over([3, 5])).toEqual([])
  await until('both times are over', () => expired === 2)
  expect(lingering.over([3, 5])).toEqual([3, 5])
  // 5 is wanted again, and later it is not.
  expect(lingering.over([3])).toEqual([3])
  expect(lingering.over([3, 5])).toEqual([3])
  lingering.stop()
})

test('a partition that is wanted again stays', async () => {
  const expired: number[] = []
  const lingering = new Lingering(1, () => expired.push(0))
  const other = new Lingering(1, () => expired.push(1))
  lingering.over([0])
  lingering.over([])
  other.over([1])
  other.stop()
  const later = new Lingering(2, () => expired.push(2))
  later.over([2])
  await until('a longer time is over', () => expired.includes(2))
  expect(expired).toEqual([2])
  later.stop()
})
