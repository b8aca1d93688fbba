/** What a group is shown of copies. */
import { expect, test } from 'bun:test'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { CopyGauges, type HeldCopy } from '../../lib/store-thread/copy-gauges.ts'
import { CopyReadiness } from '../../lib/store-thread/copy-readiness.ts'

test('a copy is ready within 1,000 records or a second, and stays so within 100,000 records or 30 seconds', () => {
  const readiness = new CopyReadiness()
  const steps: [position: number, end: number, now: number, isReady: boolean][] = [
    [0, 500_000, 0, false],
    [400_000, 500_000, 100, false],
    [500_000, 501_001, 200, true], // what was the end 200 ms ago
    [500_500, 700_000, 1_100, true],
    [501_000, 700_000, 2_200, false], // more than 100,000 records, for more than a second
    [699_000, 700_000, 3_000, true],
    [699_000, 799_000, 20_000, true],
    [699_500, 799_000, 33_000, true],
    [699_500, 799_000, 33_001, false],
    [798_000, 799_000, 33_002, true],
    [799_000, 799_000, 90_000, true],
  ]
  for (const [position, end, now, isReady] of steps) {
    expect([now, readiness.look(position, end, now)]).toEqual([now, isReady])
  }
})

test('a copy under load that reaches within a second what was the end is ready', () => {
  const readiness = new CopyReadiness()
  expect(readiness.look(0, 90_000, 0)).toBeFalse()
  for (let second = 1; second < 60; second++) {
    expect(readiness.look(second * 90_000, (second + 1) * 90_000, second * 1_000)).toBeTrue()
  }
})

test('the gauges of partitions that are held show their copies', () => {
  const stats = new Stats([0, 1, 2], undefined, [0, 1])
  const copies = new Map<number, HeldCopy>([[0, { position: 50, start: 0, term: 40 }]])
  const gauges = new CopyGauges(stats, (partition) => copies.get(partition))
  const names = ['changelogPosition', 'term', 'ready', 'halfRead'] as const
  const shown = (partition: number) => names.map((name) => stats.gauge(partition, name))
  stats.setGauge(1, 'role', 1)
  gauges.look(0)
  expect([0, 1, 2].map(shown)).toEqual([
    [50, 40, 1, 1],
    [-1, -1, 0, 0],
    [-1, -1, -1, -1],
  ])
  setPartitionState(stats, 1, 'recovering')
  stats.setGauge(1, 'end', 5_000)
  copies.set(1, { position: 2_499, start: 0, term: 7 })
  gauges.look(1)
  expect(shown(1)).toEqual([2_499, 7, 0, 0])
  copies.set(1, { position: 4_000, start: 0, term: 3_000 })
  gauges.look(2)
  expect(shown(1)).toEqual([4_000, 3_000, 0, 1])
  setPartitionState(stats, 1, 'running')
  gauges.look(3)
  expect(shown(1)).toEqual([4_000, 3_000, 1, 1])
  stats.clear(1)
  gauges.look(4)
  expect(shown(1)).toEqual([-1, -1, -1, -1])
  gauges.stop()
})
