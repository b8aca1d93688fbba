import { expect, test } from 'bun:test'
import { GroupNotice } from '../../lib/group-protocol/group-notice.ts'
import { setPartitionState } from '../../lib/store-protocol/partition-state.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import type { PartitionState } from '../../lib/store-protocol/status.ts'
import type { Assignment } from '../../lib/store/assignment.ts'
import { incompleteReason, missReasons } from '../../lib/store/miss-reason.ts'
import { partitionFor } from '../../lib/store/partitioner.ts'
import { settingsFrom } from '../support/instances/settings.ts'

const partitionCount = 4
const topics = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' }

/** What a miss of a key of that partition is answered with, by an instance with these partitions. */
function miss(
  partition: number,
  assignment: Omit<Assignment, 'partitionCount'>,
  options: {
    states?: Record<number, PartitionState>
    partitioner?: 'murmur2' | 'crc32' | 'none'
    takesAll?: boolean
  } = {},
) {
  const { partitioner = 'murmur2', states = {}, takesAll = false } = options
  const partitions = [...assignment.primaries, ...assignment.replicas]
  const stats = new Stats(partitions)
  for (const one of partitions) setPartitionState(stats, one, states[one] ?? 'running')
  const config = settingsFrom({
    ...topics,
    PARTITIONER: partitioner,
    PARTITIONS: takesAll ? '' : assignment.primaries.join(),
  })
  const error = missReasons({ ...assignment, partitionCount }, stats, config)(keyOf(partition, partitioner))
  return error && { code: error.code, details: error.details }
}

function keyOf(partition: number, partitioner: 'murmur2' | 'crc32' | 'none'): Uint8Array {
  for (let number = 0; ; number++) {
    const key = Buffer.from(`key-${number}`)
    if (partitionFor(key, partitionCount, partitioner === 'none' ? 'murmur2' : partitioner) === partition) return key
  }
}

test('a miss means that the key does not exist when its partition is held here', () => {
  expect(miss(1, { primaries: [0, 1, 2, 3], replicas: [] })).toBeUndefined()
  expect(miss(1, { primaries: [1], replicas: [] })).toBeUndefined()
  expect(miss(1, { primaries: [0], replicas: [1] })).toBeUndefined()
})

test.each(['murmur2', 'crc32'] as const)(
  'a miss names the partition and the held ones when the %s partition is not held here',
  (partitioner) => {
    expect(miss(3, { primaries: [0], replicas: [1] }, { partitioner })).toEqual({
      code: 'partition_not_held',
      details: { partition: 3, held: { primary: [0], replicas: [1] } },
    })
  },
)

test('a miss is to be retried when its partition is new and this instance holds all partitions', () => {
  const recovering = { code: 'recovering', details: { partition: 3 } }
  expect(miss(3, { primaries: [0, 1, 2], replicas: [] }, { takesAll: true })).toEqual(recovering as never)
  expect(miss(1, { primaries: [0, 1, 2], replicas: [] }, { takesAll: true })).toBeUndefined()
  expect(miss(3, { primaries: [0, 1, 2, 3], replicas: [] }, { takesAll: true })).toBeUndefined()
})

test('a miss names no partition when the partitioner is not known', () => {
  expect(miss(3, { primaries: [0], replicas: [1] }, { partitioner: 'none' })).toBeUndefined()
})

test.each(['starting', 'recovering'] as const)('a miss is to be retried when its replica is %s', (state) => {
  const assignment = { primaries: [0], replicas: [1, 2] }
  const filling = { code: 'replica_recovering' as const, details: { partitions: [1] } }
  const states = { 1: state }
  expect(miss(1, assignment, { states })).toEqual(filling as never)
  expect(miss(2, assignment, { states })).toBeUndefined()
  expect(miss(0, assignment, { states })).toBeUndefined()
  expect(miss(3, assignment, { states })?.code).toBe('partition_not_held')
})

test('a miss is to be retried when any replica is filling and the partitioner is not known', () => {
  const assignment = { primaries: [0], replicas: [1, 2] }
  const options = { states: { 2: 'recovering' }, partitioner: 'none' } as const
  expect(miss(0, assignment, options)).toEqual({ code: 'replica_recovering', details: { partitions: [2] } })
})

test('a miss is to be retried while the partition that the key belongs to is being rebuilt', () => {
  const all = { primaries: [0, 1, 2, 3], replicas: [] }
  const states = { 1: 'rebuilding' } as const
  const rebuilding = { code: 'rebuilding' as const, details: { partition: 1 } }
  expect(miss(1, all, { states })).toEqual(rebuilding)
  expect(miss(2, all, { states })).toBeUndefined()
  expect(miss(2, all, { states, partitioner: 'none' })).toEqual(rebuilding)
})

test('a miss at a partition that has left is to be retried, while its state is known and its role is not yet', () => {
  const filling = { code: 'replica_recovering' as const, details: { partitions: [1] } }
  for (const state of ['recovering', 'starting'] as const) {
    expect(miss(1, { primaries: [0, 1, 2, 3], replicas: [] }, { states: { 1: state } })).toEqual(filling)
    expect(miss(2, { primaries: [0, 1, 2, 3], replicas: [] }, { states: { 1: state } })).toBeUndefined()
  }
})

test('a copy of a group says that a key does not exist only if the plan calls it complete and it is ready', () => {
  const config = { ...settingsFrom(topics), elastic: { notice: GroupNotice.buffer(6_000) } }
  const missOf = (complete: boolean, ready: number) => {
    const stats = new Stats([1])
    setPartitionState(stats, 1, 'running')
    stats.setGauge(1, 'ready', ready)
    const group = {
      complete: [true, complete],
      owners: ['http://10.0.0.1:80', 'http://10.0.0.2:80'],
      isElsewhere: [false, true],
    }
    const assignment = { primaries: [], replicas: [1], partitionCount, group }
    return missReasons(assignment, stats, config)(keyOf(1, 'murmur2'))?.code
  }
  expect([missOf(false, 1), missOf(true, 0), missOf(true, 1)]).toEqual([
    'replica_recovering',
    'replica_recovering',
    undefined,
  ])
})

test('a miss of a group names who has the partition', () => {
  const config = settingsFrom({ ...topics, ELASTIC: 'true' })
  const owners = ['http://10.0.0.1:80', undefined]
  const assignment = {
    primaries: [],
    replicas: [],
    partitionCount,
    group: { complete: [true, false], owners, isElsewhere: [] },
  }
  const reasons = missReasons(assignment, new Stats([]), config)
  const known = reasons(keyOf(0, 'murmur2'))!
  expect([known.code, known.details['url']]).toEqual(['partition_not_held', 'http://10.0.0.1:80'])
  expect(known.message).toEndWith('; http://10.0.0.1:80 does')
  expect(reasons(keyOf(1, 'murmur2'))!.details).not.toHaveProperty('url')
})

test('a partition that is to be rebuilt is answered with that, in each role', () => {
  const stats = new Stats([0, 1, 2])
  for (const partition of [0, 1, 2]) setPartitionState(stats, partition, 'running')
  for (const partition of [0, 1]) stats.setGauge(partition, 'hidden', 1)
  const config = { ...settingsFrom(topics), elastic: {} }
  const assignment = { primaries: [0, 2], replicas: [1], partitionCount: 3 }
  const codes = [0, 1, 2].map((partition) => incompleteReason(partition, assignment, stats, config)?.code)
  expect(codes).toEqual(['rebuilding', 'rebuilding', undefined])
  const reasons = missReasons(assignment, stats, config)
  const missed = Array.from({ length: 20 }, (_, n) => Buffer.from(`key-${n}`)).map((key) => {
    return [partitionFor(key, 3, 'murmur2'), reasons(key)?.code]
  })
  for (const [partition, code] of missed) expect(code).toBe(partition === 2 ? undefined : 'rebuilding')
  // All of them as primaries: the way of most misses.
  expect(
    missReasons({ primaries: [0, 1, 2], replicas: [], partitionCount: 3 }, stats, config)(keyOfThree())?.code,
  ).toBe('rebuilding')
})

function keyOfThree(): Uint8Array {
  for (let n = 0; ; n++) if (partitionFor(Buffer.from(`key-${n}`), 3, 'murmur2') === 0) return Buffer.from(`key-${n}`)
}
