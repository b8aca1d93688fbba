import { expect, spyOn, test } from 'bun:test'
import { beginPhase } from '../../lib/store-protocol/recovery-phase.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { ProgressMeter } from '../../lib/store/progress-meter.ts'

function at(progress: Record<number, [start: number, position: number, end: number]>) {
  const stats = new Stats(Object.keys(progress).map(Number))
  for (const [partition, [start, position, end]] of Object.entries(progress)) {
    stats.setGauge(Number(partition), 'recoveryStart', start)
    stats.setGauge(Number(partition), 'recoveryPosition', position)
    stats.setGauge(Number(partition), 'recoveryEnd', end)
  }
  let clock = 0
  const meter = new ProgressMeter(() => clock)
  /** What it reads some seconds later. */
  const read = (seconds = 1) => {
    clock += seconds * 1000
    return meter.read(stats)
  }
  return { stats, read }
}

test('ProgressMeter knows no remaining time while nothing was read', () => {
  expect(at({ 0: [0, 0, 100] }).read()).toMatchObject({ percent: 0, remainingSeconds: null, recordsPerSecond: 0 })
  expect(new ProgressMeter().read(new Stats([]))).toMatchObject({ percent: 0, remainingSeconds: null })
})

test('ProgressMeter counts unknown partitions as 0', () => {
  expect(at({ 0: [0, 50, 100], 1: [-1, -1, -1] }).read().percent).toBe(50)
})

test('ProgressMeter goes by offsets, over all partitions, from where each begins', () => {
  expect(at({ 0: [100, 150, 200], 3: [0, 300, 300] }).read()).toMatchObject({ percent: 87.5 })
})

test('ProgressMeter stays within 0 and 100 when a partition is read past the end that it had at start', () => {
  expect(at({ 0: [0, 500, 400] }).read()).toMatchObject({ percent: 100, remainingSeconds: 0 })
  expect(at({ 0: [10, 5, 400] }).read()).toMatchObject({ percent: 0 })
})

test('ProgressMeter takes its rate from the last seconds, not from the beginning', () => {
  const { stats, read } = at({ 0: [0, 0, 10_000] })
  // A minute in which the brokers were asked, and hardly anything came.
  for (let second = 0; second < 60; second++) read()
  for (let second = 1; second <= 6; second++) {
    stats.setGauge(0, 'recoveryPosition', second * 1000)
    stats.add('recordsRecovered', 1000)
    read()
  }
  expect(read(0)).toMatchObject({ percent: 60, recordsPerSecond: 1000, remainingSeconds: 4 })
  stats.setGauge(0, 'recoveryPosition', 6500)
  for (let second = 0; second < 6; second++) read()
  // It stands still: how long it still takes cannot be said.
  expect(read(0)).toMatchObject({ recordsPerSecond: 0, remainingSeconds: null })
})

test('ProgressMeter takes its rate from the time since it was asked before, where that is longer ago', () => {
  const { stats, read } = at({ 0: [0, 0, 10_000] })
  read(100)
  stats.setGauge(0, 'recoveryPosition', 5000)
  read(100)
  stats.setGauge(0, 'recoveryPosition', 9000)
  expect(read(100)).toMatchObject({ remainingSeconds: 25 })
})

test('ProgressMeter names the phases of a rebuild, and each has its own figures', () => {
  const { stats, read } = at({ 0: [0, 100, 100], 1: [0, 40, 100] })
  stats.add('recordsRecovered', 140)
  expect(read()).toMatchObject({ phase: 'recovering', percent: 70, records: 140 })
  for (const partition of [0, 1]) {
    stats.setGauge(partition, 'recoveryPosition', 100)
    beginPhase(stats, partition, 'deleting', { start: 0, end: 50 })
  }
  stats.setGauge(0, 'phasePosition', 25)
  expect(read()).toMatchObject({ phase: 'deleting', percent: 25, records: 25, remainingSeconds: null })
  for (const partition of [0, 1]) beginPhase(stats, partition, 'rebuilding', { start: 1000, end: 2000 })
  stats.add('recordsConsumed', 300)
  stats.add('bytesConsumed', 3000)
  stats.setGauge(1, 'phasePosition', 1300)
  expect(read()).toMatchObject({ phase: 'rebuilding', percent: 15, records: 300, bytes: 3000 })
})

test('ProgressMeter reports the partitions that are in the earliest phase', () => {
  const { stats, read } = at({ 0: [0, 100, 100], 1: [0, 40, 100] })
  beginPhase(stats, 0, 'catching-up', { start: 0, end: 1000 })
  expect(read()).toMatchObject({ phase: 'recovering', percent: 40 })
  stats.setGauge(1, 'recoveryPosition', 100)
  expect(read()).toMatchObject({ phase: 'catching-up', percent: 0 })
})

test('ProgressMeter stays below 100 % when all is read and the phase still waits', () => {
  const { read } = at({ 0: [0, 100, 100] })
  expect(read(1)).toMatchObject({ percent: 100, remainingSeconds: 0 })
  expect(read(1)).toMatchObject({ percent: 100, remainingSeconds: 0 })
  expect(read(2)).toMatchObject({ percent: 99.9, remainingSeconds: null })
})

test('ProgressMeter sums up once in a while, however often it is read: every refused lookup reads it', () => {
  const { stats, read } = at({ 0: [0, 50, 100], 1: [0, 0, 100] })
  expect(read().percent).toBe(25)
  const gauges = spyOn(stats, 'gauge')
  for (let i = 0; i < 1000; i++) expect(read(0.00005).percent).toBe(25)
  expect(gauges).not.toHaveBeenCalled()
  stats.setGauge(1, 'recoveryPosition', 100)
  expect(read(0.1).percent).toBe(75)
})
