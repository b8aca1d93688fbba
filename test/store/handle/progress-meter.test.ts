import { expect, test } from 'bun:test'
import { ProgressMeter } from '../../../lib/store/handle/progress-meter.ts'
import { Stats } from '../../../lib/contract/stats.ts'

function at(progress: Record<number, [start: number, position: number, end: number]>) {
  const stats = new Stats(Object.keys(progress).map(Number))
  for (const [partition, [start, position, end]] of Object.entries(progress)) {
    stats.setGauge(Number(partition), 'recoveryStart', start)
    stats.setGauge(Number(partition), 'recoveryPosition', position)
    stats.setGauge(Number(partition), 'recoveryEnd', end)
  }
  return { stats, read: () => new ProgressMeter().read(stats) }
}

test('ProgressMeter knows no remaining time while nothing was read', () => {
  expect(at({ 0: [0, 0, 100] }).read()).toMatchObject({ percent: 0, remainingSeconds: null, recordsPerSecond: 0 })
  expect(new ProgressMeter().read(new Stats([]))).toMatchObject({ percent: 0, remainingSeconds: null })
})

test('ProgressMeter counts partitions that are not known yet for nothing', () => {
  expect(at({ 0: [0, 50, 100], 1: [-1, -1, -1] }).read().percent).toBe(50)
})

test('ProgressMeter goes by offsets, over all partitions, from where each begins', () => {
  expect(at({ 0: [100, 150, 200], 3: [0, 300, 300] }).read()).toMatchObject({ percent: 87.5 })
})

test('ProgressMeter stays within 0 and 100 when a partition is read past the end that it had at start', () => {
  expect(at({ 0: [0, 500, 400] }).read()).toMatchObject({ percent: 100, remainingSeconds: 0 })
  expect(at({ 0: [10, 5, 400] }).read()).toMatchObject({ percent: 0 })
})

test('ProgressMeter counts what a rebuild reads from the source', () => {
  const { stats, read } = at({ 0: [0, 1, 2] })
  stats.add('recordsRecovered', 10)
  stats.add('bytesRecovered', 1000)
  stats.add('recordsConsumed', 5)
  stats.add('bytesConsumed', 500)
  expect(read()).toMatchObject({ records: 15, bytes: 1500 })
})
