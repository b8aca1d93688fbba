import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { layoutOf, rolesOf } from '../../lib/store-protocol/roles.ts'
import { settingsFrom } from '../support/instances/settings.ts'

const topics = { SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' }

function roles(settings: Record<string, string>, partitionCount = 4) {
  return rolesOf(settingsFrom({ ...topics, ...settings }), partitionCount)
}

test('an instance has all partitions as primary when no setting names any', () => {
  expect(roles({})).toEqual({ primaries: [0, 1, 2, 3], replicas: [], notices: [] })
})

test('an instance has just the partitions that the settings name', () => {
  const settings = { PARTITIONS: '0-1', PARTITIONS_REPLICA: '2,3' }
  expect(roles(settings)).toEqual({ primaries: [0, 1], replicas: [2, 3], notices: [] })
})

test('an instance has a partition as primary, with a notice, when it is named as both', () => {
  const one = roles({ PARTITIONS: '0,1', PARTITIONS_REPLICA: '1-2' })
  expect([one.primaries, one.replicas]).toEqual([[0, 1], [2]])
  expect(one.notices).toEqual(['PARTITIONS_REPLICA: partition 1 left out, since this instance has it as primary'])
  const all = roles({ PARTITIONS_REPLICA: '1-2' })
  expect([all.primaries, all.replicas]).toEqual([[0, 1, 2, 3], []])
  expect(all.notices).toEqual(['PARTITIONS_REPLICA: partitions 1, 2 left out, since this instance has them as primary'])
})

test('an instance has all partitions as replicas when it is replica-only and none are named', () => {
  const settings = { USE_REPLICA_ONLY: 'true' }
  expect(roles(settings)).toEqual({ primaries: [], replicas: [0, 1, 2, 3], notices: [] })
  expect(roles({ ...settings, PARTITIONS_REPLICA: '3' }).replicas).toEqual([3])
})

test('an instance says that PARTITIONS is ignored, even those that do not exist, when it is replica only', () => {
  const { primaries, notices } = roles({ USE_REPLICA_ONLY: 'true', PARTITIONS: '0,9' })
  expect(primaries).toEqual([])
  expect(notices).toEqual(['PARTITIONS is ignored: with USE_REPLICA_ONLY=true there are only replicas'])
})

test('an instance says that PARTITIONS_REPLICA is ignored when it only processes', () => {
  const { primaries, replicas, notices } = roles({ USE_PROCESSING_ONLY: 'true', PARTITIONS_REPLICA: '0' })
  expect([primaries, replicas]).toEqual([[0, 1, 2, 3], []])
  expect(notices).toEqual(['PARTITIONS_REPLICA is ignored: with USE_PROCESSING_ONLY=true nothing is held in memory'])
})

test('an instance reports all missing partitions together', () => {
  const error = thrownBy(() => roles({ PARTITIONS: '3-5', PARTITIONS_REPLICA: '0,7' }))
  expect(error.code).toBe('topics_unfit')
  expect(error.message).toBe(
    'Looking at the topics: PARTITIONS names partitions 4, 5, but orders has the partitions 0 to 3; ' +
      'PARTITIONS_REPLICA names partition 7, but orders has the partitions 0 to 3',
  )
})

test('an instance names the changelog when a replica is missing in it', () => {
  const error = thrownBy(() => roles({ USE_REPLICA_ONLY: 'true', PARTITIONS_REPLICA: '4' }))
  expect(error.message).toContain('but orders-changelog has the partitions 0 to 3')
})

test('an instance reports that only partition 0 exists when there is one', () => {
  const error = thrownBy(() => roles({ PARTITIONS: '1' }, 1))
  expect(error.message).toContain('PARTITIONS names partition 1, but orders has only partition 0')
})

function thrownBy(act: () => unknown): LatchkeyError {
  try {
    act()
  } catch (error) {
    if (error instanceof LatchkeyError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a store thread may hold what it holds, or each partition whose number falls to it when partitions come and go', () => {
  const config = settingsFrom({ ...topics, PARTITIONS: '3,1', PARTITIONS_REPLICA: '5' })
  expect(layoutOf(config, 6)).toEqual([1, 3, 5])
  const share = { index: 1, count: 2 }
  expect(layoutOf({ ...config, share }, 6)).toEqual([3])
  const elastic = { ...config, elastic: {} }
  expect(layoutOf(elastic, 6)).toEqual([0, 1, 2, 3, 4, 5])
  expect(layoutOf({ ...elastic, share }, 6)).toEqual([1, 3, 5])
  expect(layoutOf({ ...elastic, elastic: { from: 4 } }, 6)).toEqual([4, 5])
  expect(rolesOf({ ...elastic, share }, 6)).toEqual({ primaries: [1, 3], replicas: [5], notices: [] })
  expect(rolesOf({ ...elastic, partitions: [], partitionsReplica: [] }, 6).primaries).toEqual([])
})
