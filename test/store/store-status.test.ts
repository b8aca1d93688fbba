import { expect, test } from 'bun:test'
import { Stats } from '../../lib/store-protocol/stats.ts'
import type { Shards } from '../../lib/store/shards.ts'
import { statusOf } from '../../lib/store/store-status.ts'
import { settingsFrom } from '../cluster/support/settings.ts'
import { startShard } from './shard-setup.ts'

const trouble = {
  partition: 1,
  client: 'changelog producer',
  broker: 'b:1',
  since: '2026-11-29T22:10:00.000Z',
  message: 'no',
}

test('the status says which partition waits for what, beside what the whole store has trouble with', () => {
  const { shard, receive } = startShard()
  receive({ type: 'trouble', trouble: 'changelog producer: no (partition 1 at b:1)', partitions: [trouble] })
  receive({ type: 'caught-up' })
  const together = {
    all: [shard],
    state: 'running',
    stats: new Stats([0, 1]),
    recovery: null,
    isCaughtUp: true,
    held: { primaries: [0, 1], replicas: [], partitionCount: 2 },
  } as unknown as Shards
  const config = settingsFrom({ SOURCE_TOPIC: 'orders', KAFKA_BROKERS: 'localhost:9092' })
  const { reason, details, conditions } = statusOf(config, { key: 'raw', value: 'raw' }, together)
  expect(reason).toBe('changelog producer: no (partition 1 at b:1)')
  expect(details.map(({ troubles }) => troubles)).toEqual([undefined, [trouble]])
  expect(details[1]!.reason).toContain('b:1, since 2026-11-29T22:10:00.000Z')
  // A broker that is away leaves a store ready.
  expect(conditions.every(({ ok }) => ok)).toBe(true)
})
