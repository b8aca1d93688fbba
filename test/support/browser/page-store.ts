/**
 * A store without Kafka behind its page: HTML, lookups and changes are answered by the handler, the status is that of the
 * fake, with rates that are always the same.
 */
import { createHandler } from '../../../lib/http/handler.ts'
import { factsOf } from '../../../lib/http/observed.ts'
import { statusEventOf } from '../../../lib/http/status-events/status-event-of.ts'
import type { Rates, ShownSetting } from '../../../lib/http/status-events/status-event.ts'
import type { PartitionStatus, StoreStatus } from '../../../lib/store-protocol/status.ts'
import { FakeStore } from '../http/fake-store.ts'

export interface PageStore extends AsyncDisposable {
  readonly store: FakeStore
  readonly url: string
  readonly port: number
  /** Ends the server, as a process that is killed does. */
  stop(): Promise<void>
}

export interface PageStoreOptions {
  readonly token?: string
  readonly port?: number
  readonly prefix?: string
}

export function servePage({ token, port = 0, prefix = '' }: PageStoreOptions = {}): PageStore {
  const store = new FakeStore()
  store.state = wellState()
  fill(store)
  const handler = createHandler(store, { ...(token !== undefined && { token }), prefix })
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    idleTimeout: 0,
    async fetch(request) {
      const isStatus = new URL(request.url).pathname === `${prefix}/status-store/${store.id}/events`
      const isAllowed = token === undefined || request.headers.get('authorization') === `Bearer ${token}`
      return isStatus && isAllowed ? statusStream(store) : handler(request)
    },
  })
  const stop = () => server.stop(true)
  const url = `http://127.0.0.1:${server.port}${prefix}/`
  return { store, url, port: server.port!, stop, [Symbol.asyncDispose]: stop }
}

function statusStream(store: FakeStore): Response {
  let second = 0
  let timer: ReturnType<typeof setInterval>
  const body = new ReadableStream({
    start(controller) {
      const facts = {
        ...factsOf('0.1.0'),
        startedAt: Date.now() - 371_044_000,
        instance: 'store-0',
        respPort: 6379,
        settings,
      }
      const send = () => {
        const event = statusEventOf(store, facts, ratesAt(second++))
        const history =
          second === 1 ? { history: Array.from({ length: 119 }, (_, before) => ratesAt(before - 119)) } : {}
        controller.enqueue(`event: status\ndata: ${JSON.stringify({ ...event, ...history })}\n\n`)
      }
      timer = setInterval(send, 1_000)
      send()
    },
    cancel: () => clearInterval(timer),
  })
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

/** A load with waves and a peak. */
function ratesAt(second: number): Rates {
  const wave = Math.sin(second / 9) + Math.sin(second / 2.3) / 4
  const peak = Math.exp(-(((second + 45) / 6) ** 2))
  return {
    recordsIn: Math.round(12_400 + 2_600 * wave + 21_000 * peak),
    changelogWrites: Math.round(11_900 + 2_500 * wave + 20_000 * peak),
    lookups: Math.round(1_830 + 240 * Math.cos(second / 5)),
    p99Ms: 0.31 + 0.05 * Math.sin(second / 3) + 0.6 * peak,
  }
}

const settings: readonly ShownSetting[] = [
  ['SOURCE_TOPIC', 'orders', '/srv/orders/.env'],
  ['KAFKA_BROKERS', 'kafka-1:9092,kafka-2:9092', '/srv/orders/.env'],
  ['VALUE_FORMAT', 'avro', '/srv/orders/.env'],
  ['RESP_PORT', '6379', 'environment'],
  ['SERVER_TOKEN', null, '/run/secrets/token'],
  ['LOG_LEVEL', 'info', 'default'],
].map(([name, value, origin]) => ({
  name: name!,
  value: value ?? null,
  isSecret: name === 'SERVER_TOKEN',
  isGiven: origin !== 'default',
  origin: origin!,
}))

export function partitionOf(partition: number, changes: Partial<PartitionStatus> = {}): PartitionStatus {
  const position = 41_203 + partition * 977
  const lag = (partition * 7) % 13
  return {
    partition,
    role: 'primary',
    state: 'running',
    position,
    end: position + lag,
    lag,
    entries: 250_123 + partition * 31,
    liveBytes: 45_000_000 + partition * 12_345,
    totalBytes: 49_000_000 + partition * 12_345,
    indexBytes: 9_000_000,
    snapshot: { start: 'used', position, ageSeconds: 431, entries: 250_000, bytes: 47_000_000, seconds: 0.4 },
    ...changes,
  }
}

/** Of a store that is well. */
export function wellState(partitions = 4): StoreStatus {
  return {
    id: 'orders',
    topics: { source: 'orders', changelog: 'orders-changelog' },
    formats: { key: 'utf8', value: 'avro' },
    state: 'running',
    partitions: { primary: Array.from({ length: partitions }, (_, partition) => partition), replicas: [] },
    caughtUp: true,
    recovery: null,
    memory: { state: 'ok', max: 2_147_483_648, budget: 1_879_048_192, used: 236_000_000, free: 12_000_000 },
    skipped: {
      total: 3,
      byReason: { conversion: 2, null_key: 1 },
      last: [
        [2, 41_180, 'conversion', 'field "total": expected a number, found text'],
        [0, 41_007, 'null_key', 'the record has no key'],
        [2, 40_911, 'conversion', 'field "total": expected a number, found text'],
      ].map(([partition, offset, reason, fault], index) => ({
        at: Date.UTC(2026, 10, 23, 16, 54, 13, 521) - index * 71_000,
        partition: Number(partition),
        offset: Number(offset),
        reason: String(reason),
        fault: String(fault),
      })),
    },
    details: Array.from({ length: partitions }, (_, partition) => partitionOf(partition)),
    conditions: [
      { name: 'recovered', ok: true },
      { name: 'caught_up', ok: true },
    ],
  }
}

export const order =
  '{"id":"10002","status":"delivered","items":[{"product":"Door latch, steel","quantity":1,"price":23.90},' +
  '{"product":"Key, blank","quantity":12,"price":1.20}],"customer":{"id":12345678901234567890,"name":"Ada Example",' +
  '"address":{"street":"Long Lane 12","city":"Exampletown"}},"currency":"EUR","paid":true}'

function fill(store: FakeStore): void {
  store.put('10002', order, { partition: 2, offset: 41_177, timestamp: 1_795_452_853_521 })
  for (let key = 10_010; key < 10_160; key++) store.put(String(key), '{}')
}
