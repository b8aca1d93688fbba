import { expect, test } from 'bun:test'
import type { ChiralMap } from '../../lib/map/index.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { Reporter } from '../../lib/store-thread/reporter.ts'
import type { Clients } from '../../lib/topics/clients.ts'
import { until } from '../support/until.ts'

test('a reporter counts each failure of the Kafka clients once, with and without memory', async () => {
  const health = {
    consumer: { failures: 1 },
    producer: { failures: 2 },
    changelog: { failures: 3 },
    replicas: { failures: 4 },
  }
  const clients = Object.fromEntries(Object.entries(health).map(([name, value]) => [name, { health: value }]))
  const stats = new Stats([0])
  const reporter = new Reporter(clients as unknown as Clients, () => {})
  try {
    reporter.watch(stats, undefined)
    stats.add('changelogFailures', 10)
    await until('it has reported', () => stats.count('fetchFailures') > 0)
    expect([stats.count('fetchFailures'), stats.count('changelogFailures')]).toEqual([8, 12])
    health.consumer.failures++
    await until('it has reported again', () => stats.count('fetchFailures') > 8)
    expect([stats.count('fetchFailures'), stats.count('changelogFailures')]).toEqual([9, 12])
  } finally {
    reporter.stop()
  }
})

test('a reporter posts the troubles of the clients, and their partitions, once they change', async () => {
  const trouble = { partition: 3, client: 'producer', broker: 'b:1', since: '2026-11-29T22:10:00.000Z', message: 'no' }
  const health = { failures: 0, trouble: undefined as string | undefined, partitionTroubles: [] as object[] }
  const [ok, ill] = [{ failures: 0, trouble: undefined, partitionTroubles: [] }, health]
  const clients = {
    consumer: { health: ok },
    producer: { health: ill },
    changelog: { health: ok },
    replicas: { health: ok },
  }
  const posted: unknown[] = []
  const reporter = new Reporter(clients as unknown as Clients, (message) => void posted.push(message))
  try {
    Object.assign(health, { trouble: 'producer: no', partitionTroubles: [trouble] })
    await until('it is posted', () => posted.length > 0)
    Object.assign(health, { trouble: undefined, partitionTroubles: [] })
    await until('its end is posted', () => posted.length > 1)
  } finally {
    reporter.stop()
  }
  expect(posted).toEqual([
    { type: 'trouble', trouble: 'producer: no', partitions: [trouble] },
    { type: 'trouble', trouble: null, partitions: [] },
  ])
})

test('a reporter posts one key as a sample, and looks for none in partitions without entries', () => {
  const entries = [0, 0]
  const looked: number[] = []
  const map = {
    stats: (partition: number) => ({ entries: entries[partition]!, liveBytes: 0, totalBytes: 0, indexBytes: 0 }),
    keys: (partition: number) => {
      looked.push(partition)
      return [Buffer.from('a')].values()
    },
  }
  const posted: unknown[] = []
  const reporter = new Reporter({} as Clients, (message) => void posted.push(message))
  try {
    reporter.watch(new Stats([0, 1]), map as unknown as ChiralMap)
    reporter.published()
    expect([looked, posted]).toEqual([[], []])
    entries[1] = 1
    reporter.published()
    reporter.published()
  } finally {
    reporter.stop()
  }
  expect(looked).toEqual([1])
  expect(posted).toEqual([{ type: 'sample', key: Buffer.from('a') }])
})
