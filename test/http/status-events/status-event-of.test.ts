import { expect, test } from 'bun:test'
import type { InstanceFacts } from '../../../lib/http/handler.ts'
import { adviceFor } from '../../../lib/http/status-events/condition-advice.ts'
import { statusEventOf } from '../../../lib/http/status-events/status-event-of.ts'
import { conditionNames, type PartitionStatus } from '../../../lib/store-protocol/status.ts'
import { FakeStore } from '../../support/http/fake-store.ts'

const rates = { recordsIn: 1, changelogWrites: 2, lookups: 3, p99Ms: 0.5 }

function eventOf(store: FakeStore, facts: Partial<InstanceFacts> = {}) {
  const all = { instance: 'host-1', version: '1.2.3', startedAt: Date.now() - 90_000, respPort: null, settings: [] }
  return statusEventOf(store, { ...all, ...facts }, rates)
}

function detail(partition: number, other: Partial<PartitionStatus> = {}): PartitionStatus {
  const none = { position: 5, end: 5, lag: 0, entries: 1, liveBytes: 1, totalBytes: 1, indexBytes: 1 }
  return { partition, role: 'primary', state: 'running', ...none, ...other }
}

test('an event of a store that is well has all that the page shows', () => {
  const store = new FakeStore()
  const event = eventOf(store, { respPort: 6379 })
  expect(event).toEqual({
    id: 'orders',
    topic: 'orders',
    changelog: 'orders-changelog',
    instance: 'host-1',
    version: '1.2.3',
    respPort: 6379,
    state: 'running',
    isCaughtUp: true,
    uptimeSeconds: 90,
    formats: { key: 'raw', value: 'raw' },
    progress: null,
    isReady: true,
    conditions: [],
    rates,
    totals: { partitions: 2, entries: 6, lag: 4 },
    partitions: [0, 1].map((partition) => ({
      partition,
      role: 'primary',
      state: 'running',
      position: 10,
      end: 12,
      lag: 2,
      entries: 3,
      liveBytes: 30,
      deadBytes: 20,
      indexBytes: 16,
      snapshotAgeSeconds: null,
    })),
    partitionsOmitted: 0,
    badRecords: { total: 0, byReason: {}, last: [] },
    memory: {
      state: 'ok',
      max: null,
      budget: null,
      used: 66,
      free: 0,
      resident: expect.any(Number),
      live: 60,
      dead: 40,
      index: 32,
    },
    snapshots: null,
    group: null,
    settings: [],
  })
})

test('a store that is not ready says what fails, and what to do about it', () => {
  const store = new FakeStore()
  store.state.state = 'failed'
  store.state.reason = 'no brokers'
  store.state.conditions = [
    { name: 'not_failed', ok: false, reason: 'no brokers' },
    { name: 'recovered', ok: true },
    { name: 'memory', ok: true, reason: 'memory is full' },
  ]
  const { isReady, reason, conditions } = eventOf(store)
  expect({ isReady, reason }).toEqual({ isReady: false, reason: 'no brokers' })
  expect(conditions).toEqual([
    { name: 'not_failed', ok: false, reason: 'no brokers', advice: expect.stringContaining('start the process again') },
    { name: 'memory', ok: true, reason: 'memory is full', advice: expect.stringContaining('MEMORY_MAX') },
  ])
})

test('a store that answers for a while after SIGTERM is stopping', () => {
  const store = new FakeStore()
  store.state.state = 'running'
  store.state.conditions = [{ name: 'not_stopping', ok: false, reason: 'SIGTERM' }]
  expect(eventOf(store)).toMatchObject({ state: 'stopping', isReady: false })
})

test.each([...conditionNames, 'running'] as const)('there is a sentence of advice for the condition %s', (name) => {
  expect(adviceFor({ name, ok: false })).toMatch(/^[A-Z].*\.$/)
})

test('partitions that need attention come first, and there is a bound', () => {
  const store = new FakeStore()
  store.state.details = [
    ...Array.from({ length: 300 }, (_, partition) => detail(partition)),
    detail(300, { lag: 5_000 }),
    detail(301, { lag: 500 }),
    detail(302, { state: 'fenced' }),
    detail(303, { state: 'halted' }),
    detail(304, { reason: 'no answer' }),
    detail(305, { state: 'halted', lag: null }),
  ]
  const { partitions, partitionsOmitted, totals } = eventOf(store)
  expect(partitions.slice(0, 6).map(({ partition }) => partition)).toEqual([303, 305, 302, 304, 300, 0])
  expect([partitions.length, partitionsOmitted]).toEqual([256, 50])
  expect(totals).toEqual({ partitions: 306, entries: 306, lag: null })
})

test('snapshots are summed up, with what the last start made of them', () => {
  const store = new FakeStore()
  const first = { position: 9, ageSeconds: 40, entries: 3, bytes: 100, seconds: 0.5 }
  const none = { position: null, ageSeconds: null, entries: null, bytes: null, seconds: null }
  store.state.details = [
    detail(0, { snapshot: { start: 'used', ...first } }),
    detail(1, { snapshot: { start: 'used', ...first, ageSeconds: 70 } }),
    detail(2, { snapshot: { start: 'none', ...none } }),
  ]
  store.stats.add('snapshots', 4)
  store.stats.add('snapshotFailures', 1)
  const { snapshots, partitions } = eventOf(store)
  expect(snapshots).toEqual({
    partitions: 2,
    ageSeconds: 70,
    bytes: 200,
    taken: 4,
    failed: 1,
    starts: { used: 2, none: 1 },
  })
  expect(partitions.map(({ snapshotAgeSeconds }) => snapshotAgeSeconds)).toEqual([40, 70, null])
})

test('bad records have reasons, and the last ones their places', () => {
  const store = new FakeStore()
  const last = [{ at: 5, partition: 0, offset: 7, reason: 'conversion', fault: 'convert failed' }]
  store.state.skipped = { total: 3, byReason: { conversion: 3 }, last }
  expect(eventOf(store).badRecords).toEqual({ total: 3, byReason: { conversion: 3 }, last })
})
