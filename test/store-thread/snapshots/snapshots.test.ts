import { afterEach, expect, test } from 'bun:test'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import { Snapshots } from '../../../lib/store-thread/snapshots/snapshots.ts'
import { FakeClient } from '../../support/kafka/fakes/fake-client.ts'
import { endOfEpochResponse } from '../../support/kafka/fakes/responses.ts'
import { FakePartition, FakeSnapshots } from '../../support/store-thread/fake-snapshots.ts'
import { someFacts } from '../../support/store-thread/snapshot-facts.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'
import { until } from '../../support/until.ts'

const stopped: (() => void)[] = []

afterEach(() => {
  for (const stop of stopped.splice(0)) stop()
})

function setup({ isLocked = true, end = 10, retention = '86400000' } = {}) {
  const fake = new FakeClient()
  fake.topicId = 'id'
  fake.topics.clusterId = 'cluster'
  fake.leaderEpochs.set(0, 3)
  fake.topicConfig.set('delete.retention.ms', retention)
  const log = { end, asked: 0 }
  void fake.serve(({ answer }) => {
    log.asked++
    answer(endOfEpochResponse('log', { partition: 0, epoch: 3, endOffset: log.end }))
  })
  const files = new FakeSnapshots()
  const stats = new Stats([0])
  const flushes: number[] = []
  const options = { files, client: fake.client, changelogTopic: 'log', keepHeaders: ['trace'], seconds: 0.01, stats }
  const flush = async () => void flushes.push(files.taken.length)
  const failed = (error: unknown) => {
    throw error
  }
  const snapshots = new Snapshots({ ...options, flush, failed }, isLocked)
  const partition = new FakePartition()
  stopped.push(() => {
    snapshots.stop()
    fake.close()
  })
  return { snapshots, files, partition, stats, log, flushes }
}

test('a snapshot states the changelog, its end and its time, and is taken after a flush', async () => {
  const { snapshots, files, partition, stats, flushes } = setup()
  snapshots.follow(0, partition, 8, { after: 4, discardedAt: -1 })
  const before = Date.now()
  snapshots.begin()
  await until('a snapshot is taken', () => files.taken.length > 0)
  const { facts } = files.taken[0]!
  expect(facts).toEqual({
    ...someFacts({ position: 10, records: 8, keepHeaders: ['trace'], trail: { after: 4, discardedAt: -1 } }),
    takenAt: { local: facts.takenAt.local },
  })
  expect(facts.takenAt.local).toBeGreaterThanOrEqual(before)
  expect(flushes[0]).toBe(0)
  expect(files.owned).toBe(1)
  await until('it is counted', () => stats.count('snapshots') === 1)
  expect([stats.gauge(0, 'snapshotPosition'), stats.gauge(0, 'snapshotBytes')]).toEqual([10, 100])
})

test('the next snapshot comes when the position has changed', async () => {
  const { snapshots, files, partition, log } = setup()
  snapshots.follow(0, partition, 8, undefined)
  snapshots.begin()
  await until('a snapshot is taken', () => files.taken.length === 1)
  const { asked } = log
  // One that is taken without a change would be taken before this one.
  partition.position = 11
  await until('the next one is taken', () => files.taken.length === 2)
  expect(files.taken[1]!.facts.position).toBe(11)
  expect(log.asked).toBe(asked + 1)
})

test('a snapshot waits until the map has what the changelog had when its leader was asked', async () => {
  const { snapshots, files, partition, log } = setup({ end: 12 })
  snapshots.follow(0, partition, 8, undefined)
  snapshots.begin()
  await until('the leader was asked', () => log.asked === 1)
  const askedBefore = Date.now()
  expect(files.taken).toEqual([])
  partition.position = 11
  const { looks } = partition
  await until('it has looked again', () => partition.looks > looks + 2)
  expect(files.taken).toEqual([])
  partition.position = 13
  await until('a snapshot is taken', () => files.taken.length === 1)
  expect(files.taken[0]!.facts).toMatchObject({ position: 13, leaderEpoch: 3 })
  expect(files.taken[0]!.facts.takenAt.local).toBeLessThanOrEqual(askedBefore)
})

test.each(['full', 'refused', 'disk'] as const)(
  'a failure is logged and counted, and the next attempt succeeds: %s',
  async (reason) => {
    const lines = captureLog()
    const { snapshots, files, partition, stats } = setup()
    files.failure = { kind: 'failed', reason, message: 'no space left on device' }
    snapshots.follow(0, partition, 8, undefined)
    snapshots.begin()
    await until('it failed twice', () => stats.count('snapshotFailures') >= 2)
    expect(lines.join('\n')).toContain(
      'Writing a snapshot of log partition 0: no space left on device. The one before stays',
    )
    files.failure = undefined
    await until('a snapshot is taken', () => stats.count('snapshots') === 1)
  },
)

test('there are no more snapshots when their thread hangs', async () => {
  const lines = captureLog()
  const { snapshots, files, partition, stats, log } = setup()
  files.failure = { kind: 'failed', reason: 'thread', message: 'silent for 60 s' }
  files.isOff = true
  snapshots.follow(0, partition, 8, undefined)
  snapshots.begin()
  await until('it failed', () => stats.count('snapshotFailures') === 1)
  expect(lines.join('\n')).toContain('No more snapshots are taken until the next start')
  partition.position = 20
  const { asked } = log
  await snapshots.finish()
  expect([log.asked, files.taken.length]).toEqual([asked, 0])
})

test('the last snapshot at a close is of what has changed since, and not of a partition that was lost', async () => {
  const { snapshots, files, partition } = setup()
  snapshots.follow(0, partition, 8, undefined)
  await snapshots.finish()
  expect(files.taken).toHaveLength(1)
  expect(files.hurries).toEqual([[0, true]])
  await snapshots.finish()
  expect(files.taken).toHaveLength(1)
  partition.position = 11
  partition.isSound = false
  await snapshots.finish()
  expect(files.taken).toHaveLength(1)
})

test('a snapshot that a start has used is taken again when something has changed', async () => {
  const { snapshots, files, partition, stats } = setup()
  const facts = someFacts({ position: 10, takenAt: { local: Date.now() } })
  snapshots.follow(0, partition, facts.records, facts.trail, { facts, entries: 5, bytes: 1_000, ageMs: 10 })
  expect([stats.gauge(0, 'snapshotPosition'), stats.gauge(0, 'snapshotEntries')]).toEqual([10, 5])
  await snapshots.finish()
  expect(files.taken).toEqual([])
  partition.position = 11
  await snapshots.finish()
  expect(files.taken[0]!.facts).toMatchObject({ position: 11, records: facts.records, trail: facts.trail })
})

test('a quiet partition gets another snapshot when the last has used up a tenth of its age', async () => {
  const { snapshots, files, partition } = setup()
  const takenAt = { local: Date.now() - 2 * 3_600_000 }
  const facts = someFacts({ position: 10, takenAt })
  snapshots.follow(0, partition, facts.records, facts.trail, { facts, entries: 5, bytes: 1_000, ageMs: 10 })
  snapshots.begin()
  await until('a snapshot is taken', () => files.taken.length === 1)
  expect(files.taken[0]!.facts.takenAt.local).toBeGreaterThan(takenAt.local)
})

test('no snapshot is taken that no start could use, nor without the lock', async () => {
  const lines = captureLog()
  for (const one of [setup({ retention: '1000' }), setup({ isLocked: false })]) {
    one.snapshots.follow(0, one.partition, 8, undefined)
    await one.snapshots.finish()
    expect(one.files.taken).toEqual([])
  }
  expect(lines.filter((line) => line.includes('Taking snapshots of log: delete.retention.ms is 1000'))).toHaveLength(1)
})

test('a partition that gets another role has its last snapshot, and one that was emptied has none', async () => {
  const { snapshots, files, partition } = setup()
  snapshots.follow(0, partition, 8, undefined)
  snapshots.begin()
  await until('a snapshot is taken', () => files.taken.length === 1)
  await snapshots.leave(0)
  const other = new FakePartition()
  snapshots.follow(0, other, 9, undefined)
  const { looks } = other
  await until('it has looked', () => other.looks > looks + 2)
  other.position = 11
  await until('the next one is taken', () => files.taken.length === 2)
  expect(files.taken[1]!.facts.position).toBe(11)
  snapshots.follow(0, other, 0, undefined)
  await until('one is taken without a change', () => files.taken.length === 3)
})

test('a partition leaves when none is being taken of it', async () => {
  const { snapshots, files, partition } = setup()
  const writing = files.hold()
  snapshots.follow(0, partition, 8, undefined)
  snapshots.begin()
  await until('one is begun', () => files.taken.length === 1)
  let hasLeft = false
  const leaving = snapshots.leave(0).then(() => (hasLeft = true))
  await new Promise(setImmediate)
  expect([hasLeft, files.hurries]).toEqual([false, [[1, false]]])
  writing()
  await leaving
})
