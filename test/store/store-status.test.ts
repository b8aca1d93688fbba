import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { statusOf } from '../../lib/store/store-status.ts'
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

test('the status names the problem of each partition, and the problems of the whole store', () => {
  const { handle, receive } = startHandle()
  receive({ type: 'trouble', trouble: 'changelog producer: no (partition 1 at b:1)', partitions: [trouble] })
  receive({ type: 'caught-up' })
  const together = {
    all: [handle],
    state: 'running',
    stats: new Stats([0, 1]),
    recovery: null,
    isCaughtUp: true,
    assignment: { primaries: [0, 1], replicas: [], partitionCount: 2 },
  } as unknown as StoreThreads
  const config = settingsFrom({ SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' })
  const { reason, details, conditions } = statusOf(config, { key: 'raw', value: 'raw' }, together)
  expect(reason).toBe('changelog producer: no (partition 1 at b:1)')
  expect(details.map(({ troubles }) => troubles)).toEqual([undefined, [trouble]])
  expect(details[1]!.reason).toContain('b:1, since 2026-11-29T22:10:00.000Z')
  // A broker that is away leaves a store ready.
  expect(conditions.every(({ ok }) => ok)).toBe(true)
})
