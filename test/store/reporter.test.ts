import { expect, test } from 'bun:test'
import type { Clients } from '../../lib/store/clients.ts'
import { Reporter } from '../../lib/store/reporter.ts'
import { Stats } from '../../lib/contract/stats.ts'
import { until } from '../until.ts'

test('a reporter counts each failure of the Kafka clients once, also where nothing is held in memory', async () => {
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
