import { expect, test } from 'bun:test'
import { mergedStats } from '../../lib/store-protocol/stats-view.ts'
import { counterNames, gaugeNames, Stats } from '../../lib/store-protocol/stats.ts'

test('Stats keep every counter and every gauge in its own place', () => {
  const stats = new Stats([2, 5])
  let next = 1
  for (const name of counterNames) stats.set(name, next++)
  for (const partition of [2, 5]) for (const name of gaugeNames) stats.setGauge(partition, name, next++)
  const read = [
    ...counterNames.map((name) => stats.count(name)),
    ...[2, 5].flatMap((partition) => gaugeNames.map((name) => stats.gauge(partition, name))),
  ]
  expect(read).toEqual(Array.from({ length: next - 1 }, (_, index) => index + 1))
})

test('Stats begin with counters at 0 and gauges at -1', () => {
  const stats = new Stats([0], undefined, [])
  expect(counterNames.filter((name) => stats.count(name) !== 0)).toEqual([])
  expect(gaugeNames.filter((name) => stats.gauge(0, name) !== -1)).toEqual([])
})

test('Stats name the partitions of their layout that are held, also in another view', () => {
  const writer = new Stats([1, 3, 5], undefined, [1, 5])
  const reader = new Stats([1, 3, 5], writer.buffer)
  expect(reader.partitions).toEqual([1, 5])
  expect([1, 3, 4].map((partition) => reader.holds(partition))).toEqual([true, false, false])
  writer.setGauge(3, 'role', 1)
  expect(reader.partitions).toEqual([1, 3, 5])
  expect(reader.holds(3)).toBe(true)
  writer.setGauge(3, 'position', 7)
  writer.clear(3)
  expect(reader.partitions).toEqual([1, 5])
  expect(gaugeNames.filter((name) => reader.gauge(3, name) !== -1)).toEqual([])
  expect([1, 5].map((partition) => reader.gauge(partition, 'role'))).toEqual([0, 0])
})

test('Stats show what another view of the same memory wrote', () => {
  const writer = new Stats([7])
  const reader = new Stats([7], writer.buffer)
  writer.add('recordsConsumed', 2 ** 40)
  writer.setGauge(7, 'position', 2 ** 53 - 1)
  expect(reader.count('recordsConsumed')).toBe(2 ** 40)
  expect(reader.gauge(7, 'position')).toBe(2 ** 53 - 1)
})

test('Stats refuse a partition that they do not hold', () => {
  expect(() => new Stats([0]).gauge(1, 'position')).toThrow(RangeError)
})

test('the figures of several threads name the partitions that are held at the moment', () => {
  const [even, odd] = [new Stats([0, 2], undefined, [2]), new Stats([1, 3], undefined, [1])]
  const merged = mergedStats([even, odd])
  expect(merged.partitions).toEqual([1, 2])
  odd.setGauge(3, 'role', 1)
  even.clear(2)
  expect(merged.partitions).toEqual([1, 3])
  expect([1, 2, 3, 4].map((partition) => merged.holds(partition))).toEqual([true, false, true, false])
  expect([merged.gauge(3, 'role'), merged.gauge(2, 'role')]).toEqual([1, -1])
})
