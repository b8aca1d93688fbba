/** Operations that read the status of a store. */
import type { StoreStatus } from '../../store-protocol/status.ts'
import { retry } from '../event-stream.ts'
import type { StatusEvent } from '../status-events/status-event.ts'
import { events, json, operation } from './operation.ts'
import { ofStatus, storeId } from './parameters.ts'
import { problemsOf } from './problems.ts'
import { ref } from './schema.ts'

const partition = {
  partition: 0,
  role: 'primary',
  state: 'running',
  position: 12,
  end: 12,
  lag: 0,
  entries: 3,
  liveBytes: 180,
  indexBytes: 64,
} as const

const status: StoreStatus = {
  id: 'orders',
  topics: { source: 'orders', changelog: 'orders-changelog' },
  formats: { key: 'raw', value: 'raw' },
  state: 'running',
  partitions: { primary: [0], replicas: [] },
  caughtUp: true,
  recovery: null,
  memory: { state: 'ok', max: null, budget: null, used: 4_096, free: 0 },
  skipped: { total: 0, byReason: {} },
  details: [{ ...partition, totalBytes: 240 }],
  conditions: [{ name: 'recovered', ok: true }],
}

const rates = { recordsIn: 120, changelogWrites: 118, lookups: 4_000, p99Ms: 0.05 }

const statusEvent: StatusEvent = {
  id: status.id,
  topic: status.topics.source,
  changelog: status.topics.changelog,
  instance: 'host-1',
  version: '0.1.0',
  respPort: null,
  state: status.state,
  isCaughtUp: status.caughtUp,
  uptimeSeconds: 3_600,
  formats: status.formats,
  progress: null,
  isReady: true,
  conditions: [],
  rates,
  history: [rates],
  totals: { partitions: 1, entries: 3, lag: 0 },
  partitions: [{ ...partition, deadBytes: 60, snapshotAgeSeconds: null }],
  partitionsOmitted: 0,
  badRecords: { total: 0, byReason: {}, last: [] },
  memory: { ...status.memory, resident: 60_000_000, live: 180, dead: 60, index: 64 },
  snapshots: null,
  group: null,
  settings: [{ name: 'SOURCE_TOPIC', value: 'orders', isSecret: false, isGiven: true, origin: 'environment' }],
}

const getStatus = () =>
  operation({
    id: 'getStatus',
    tag: 'operations',
    summary: 'State of the store and of its partitions',
    parameters: [storeId(), ...ofStatus()],
    answers: { 200: { description: 'The status', content: json(ref('StoreStatus'), { status, pretty: status }) } },
    problems: problemsOf.ofStore,
  })

const followStatus = () =>
  operation({
    id: 'followStatus',
    tag: 'operations',
    summary: 'Streams the status, once a second, with rates, advice and settings',
    parameters: [storeId()],
    answers: {
      200: {
        description: 'A stream without end; each event is complete, the first one also has the rates of two minutes',
        content: events(ref('StatusServerEvent'), {
          status: `${retry}event: status\ndata: ${JSON.stringify(statusEvent)}\n\n`,
        }),
      },
    },
    problems: problemsOf.statusEvents,
  })

export function statusPaths(): Record<string, object> {
  return {
    '/status-store/{id}': { get: getStatus() },
    '/status-store/{id}/events': { get: followStatus() },
  }
}
