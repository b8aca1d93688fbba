import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import { snapshotRefusals } from '../../lib/store-protocol/snapshot-refusal.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { partitionStatus } from '../../lib/store/partition-status.ts'

const now = 1_000_000

afterEach(() => setSystemTime())

function replica(position: number, end: number, endKnownAt: number): Stats {
  const stats = new Stats([2])
  stats.setGauge(2, 'role', 1)
  stats.setGauge(2, 'position', position)
  stats.setGauge(2, 'end', end)
  stats.setGauge(2, 'endKnownAt', endKnownAt)
  setSystemTime(now)
  return stats
}

test('a partition has no figure that is not known yet', () => {
  expect(partitionStatus(new Stats([0]), 0)).toEqual({
    partition: 0,
    role: 'primary',
    state: 'starting',
    position: null,
    end: null,
    lag: null,
    entries: 0,
    liveBytes: 0,
    totalBytes: 0,
    indexBytes: 0,
  })
})

test('the lag of a primary is the distance to the end of its source', () => {
  const stats = new Stats([0])
  setPartitionState(stats, 0, 'running')
  stats.setGauge(0, 'position', 7)
  expect(partitionStatus(stats, 0).lag).toBeNull()
  stats.setGauge(0, 'end', 10)
  expect(partitionStatus(stats, 0)).toMatchObject({ state: 'running', position: 7, end: 10, lag: 3 })
  stats.setGauge(0, 'position', 12)
  expect(partitionStatus(stats, 0).lag).toBe(0)
})

test('the lag of a replica is the distance to the end of the changelog while that end is recent', () => {
  expect(partitionStatus(replica(7, 10, now - 9_999), 2)).toMatchObject({ role: 'replica', lag: 3 })
  expect(partitionStatus(replica(7, 10, now - 10_001), 2)).toMatchObject({ position: 7, end: 10, lag: null })
})

test('the lag of a replica is unknown when it has received no end', () => {
  const stats = new Stats([2])
  stats.setGauge(2, 'role', 1)
  expect(partitionStatus(stats, 2).lag).toBeNull()
})

test('a partition has its snapshot, and why the start did not use the one before', () => {
  setSystemTime(now)
  const stats = new Stats([0])
  stats.setGauge(0, 'snapshotRefusal', snapshotRefusals.indexOf('too-old'))
  const unknown = { position: null, ageSeconds: null, entries: null, bytes: null, seconds: null }
  expect(partitionStatus(stats, 0).snapshot).toEqual({ start: 'too-old', ...unknown })
  stats.setGauge(0, 'snapshotPosition', 70)
  stats.setGauge(0, 'snapshotTakenAt', now - 14_000)
  stats.setGauge(0, 'snapshotEntries', 5)
  stats.setGauge(0, 'snapshotBytes', 900)
  stats.setGauge(0, 'snapshotSeconds', 0.5)
  const figures = { position: 70, ageSeconds: 14, entries: 5, bytes: 900, seconds: 0.5 }
  expect(partitionStatus(stats, 0).snapshot).toEqual({ start: 'too-old', ...figures })
})

test('a partition names its problem with client, broker and start time', () => {
  const [client, broker, since, message] = ['changelog producer', 'b:1', '2026-11-29T22:10:00.000Z', 'Produce: refused']
  const trouble = { partition: 2, client, broker, since, message }
  const stats = new Stats([2])
  expect(partitionStatus(stats, 2, [trouble, { ...trouble, client: 'source consumer', broker: null }])).toMatchObject({
    reason:
      'changelog producer: Produce: refused (b:1, since 2026-11-29T22:10:00.000Z) · ' +
      'source consumer: Produce: refused (since 2026-11-29T22:10:00.000Z)',
    troubles: [trouble, { client: 'source consumer', broker: null }],
  })
  expect(partitionStatus(stats, 2)).not.toContainAnyKeys(['reason', 'troubles'])
})

test('a partition that runs is full while memory is, and another keeps its state', () => {
  const stats = new Stats([0])
  for (const state of ['recovering', 'rebuilding', 'fenced', 'repairing'] as const) {
    setPartitionState(stats, 0, state)
    expect(partitionStatus(stats, 0, [], true).state).toBe(state)
  }
  setPartitionState(stats, 0, 'running')
  expect(partitionStatus(stats, 0, [], true).state).toBe('full')
  expect(partitionStatus(stats, 0).state).toBe('running')
})
