/** The series of the Redis protocol. */
import { lookupOutcomes } from './lookup-stats.ts'
import type { RespStats } from './resp-stats.ts'
import type { SeriesRegistry } from './series.ts'

export function registerResp(series: SeriesRegistry, stats: RespStats): void {
  series.gauge('resp_connections', 'Open connections of the Redis protocol', () => stats.connections)
  series.gauge(
    'resp_subscriptions',
    'Channels and patterns that clients of the Redis protocol have subscribed to',
    () => stats.subscriptions,
  )
  series.gauge(
    'resp_tracking_clients',
    'Clients of the Redis protocol whose near caches are invalidated',
    () => stats.trackingClients,
  )
  series.gauge('resp_tracked_keys', 'Keys that are remembered for near caches', () => stats.trackedKeys)
  series.counter('resp_commands_total', 'Commands of the Redis protocol, by name', () => {
    return stats.commands.map((command, index) => ({ labels: { command }, value: stats.countOf(index) }))
  })
  series.counter('resp_lookups_total', 'Keys looked up by commands of the Redis protocol, by outcome', () => {
    return lookupOutcomes.map((outcome) => ({ labels: { outcome }, value: stats.lookups(outcome) }))
  })
}
