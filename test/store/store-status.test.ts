import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { statusOf } from '../../lib/store/store-status.ts'
import type { StoreThreadHandle } from '../../lib/store/store-thread-handle.ts'
import type { StoreThreads } from '../../lib/store/store-threads.ts'
import { settingsFrom } from '../support/instances/settings.ts'
import { startHandle } from '../support/store/handle-setup.ts'

const trouble = {
  partition: 1,
  client: 'changelog producer',
  broker: 'b:1',
  since: '2026-11-29T22:10:00.000Z',
  message: 'no',
}

const config = settingsFrom({ SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' })

function threadsOf(handle: StoreThreadHandle): StoreThreads {
  const assignment = { primaries: [0, 1], replicas: [], partitionCount: 2 }
  const together = { all: [handle], state: 'running', stats: new Stats([0, 1]), recovery: null, isCaughtUp: true }
  return { ...together, assignment } as unknown as StoreThreads
}

test('the status names the problem of each partition, and the problems of the whole store', () => {
  const { handle, receive } = startHandle()
  receive({ type: 'trouble', trouble: 'changelog producer: no (partition 1 at b:1)', partitions: [trouble] })
  receive({ type: 'caught-up' })
  const { reason, details, conditions } = statusOf(config, { key: 'raw', value: 'raw' }, threadsOf(handle))
  expect(reason).toBe('changelog producer: no (partition 1 at b:1)')
  expect(details.map(({ troubles }) => troubles)).toEqual([undefined, [trouble]])
  expect(details[1]!.reason).toContain('b:1, since 2026-11-29T22:10:00.000Z')
  // A broker that is away leaves a store ready.
  expect(conditions.every(({ ok }) => ok)).toBe(true)
})

test('the reason of partitions that are alike is written out once, as their condition has it', () => {
  const { handle } = startHandle()
  handle.fenced.set(1, 'another instance has taken partition 1').set(0, 'another instance has taken partition 0')
  const { reason, conditions } = statusOf(config, { key: 'raw', value: 'raw' }, threadsOf(handle))
  expect(reason).toBe('another instance has taken partition 0 (the same for partition 1)')
  expect(conditions.find(({ name }) => name === 'not_fenced')?.reason).toBe(reason)
})
