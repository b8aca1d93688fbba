/**
 * Thousands of clients that follow changes of a key each, then as many that wait for one: the memory that they take while
 * nothing changes, and how soon one of them is woken, beside a single one that waits.
 */
import type { Contender, RunningStore, StoreSettings } from '../contenders/index.ts'
import { type HeldKind, HeldRequests } from '../load/held-requests.ts'
import { type MetricName, textOf } from '../report/metrics.ts'
import { percentile } from '../report/statistics.ts'
import { subject } from '../report/wanted.ts'
import { produce } from '../topics/filler.ts'
import { oneRecord } from '../topics/one-record.ts'
import { type Bench, dropTopics, filledTopic, newStore, running, say } from './bench.ts'

const clients = 10_000
/** Besides them, the bench itself asks. */
const connectionsMax = '12000'
/** A JIT has to have seen requests before they are timed. */
const warmClients = 100
const samples = 1_000
const idleMs = 20_000
const pollMs = 20
/** Until a request that was just sent is held, nearly always; earlier ones are answered at once, which is faster. */
const sentMs = 3

const metricsOf = {
  followers: { memory: 'followersMemory', wake: 'followersWake', ratio: 'followersWakeRatio', idle: 'followersIdle' },
  waiters: { memory: 'waitersMemory', wake: 'waitersWake', ratio: 'waitersWakeRatio', idle: 'waitersIdle' },
} as const satisfies Record<HeldKind, Record<string, MetricName>>

interface Asked {
  bench: Bench
  store: RunningStore
  settings: StoreSettings
  /** Of the collection. */
  path: string
}

export async function feed(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (contender === undefined) return
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const kind of ['followers', 'waiters'] as const) await measure(bench, contender, kind)
  }
}

/** A process for each kind: one that thousands have left keeps some of their memory for the next. */
async function measure(bench: Bench, contender: Contender, kind: HeldKind): Promise<void> {
  const source = await filledTopic(bench, 'feed', { records: 0 })
  const environment = { HTTP_THREADS: '1', SERVER_CONNECTIONS_MAX: connectionsMax }
  const settings = { ...(await newStore(bench, contender, source)), flush: 'fastest' as const, environment }
  await running(contender, settings, async (store) => {
    await store.answers()
    const asked: Asked = { bench, store, settings, path: store.lookupPath.slice(0, -1) }
    await warmUp(asked, kind)
    const alone = await wakeAlone(asked)
    bench.results.add(subject, { oneWake: alone })
    say(`feed: one waits: woken after ${textOf(alone, 'ms')} ms at p99`)
    // By now the store has its buffers, too.
    await thousands(asked, kind, store.residentBytes(), alone)
  })
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
}

async function thousands(asked: Asked, kind: HeldKind, base: number, alone: number): Promise<void> {
  const { store, bench } = asked
  const keys = keysOf(kind, clients)
  using requests = await HeldRequests.open(kind, store.url, asked.path, keys)
  await untilHeld(asked, kind, clients)
  const before = store.processorMs()
  await Bun.sleep(idleMs)
  const idle = (store.processorMs() - before) / idleMs
  const memory = (store.residentBytes() - base) / 1e6
  const found = await wakes(asked, requests, keys)
  if (requests.closed > samples) throw new Error(`${requests.closed} connections of ${kind} were closed`)
  const p99 = percentile(found, 0.99)
  const names = metricsOf[kind]
  const figures = { [names.memory]: memory, [names.wake]: p99, [names.ratio]: p99 / alone, [names.idle]: idle }
  bench.results.add(subject, figures)
  const woken = `woken after ${textOf(p99, 'ms')} ms at p99, ${(p99 / alone).toFixed(2)} times one`
  say(`feed: ${clients} ${kind}: ${textOf(memory, 'MB')} MB, ${(100 * idle).toFixed(1)} % of a core idle, ${woken}`)
}

async function warmUp(asked: Asked, kind: HeldKind): Promise<void> {
  const keys = keysOf(`warm-${kind}`, warmClients)
  using requests = await HeldRequests.open(kind, asked.store.url, asked.path, keys)
  await untilHeld(asked, kind, warmClients)
  await wakes(asked, requests, keys)
}

/** Milliseconds from just before a record is sent, one after the other. */
async function wakes(asked: Asked, requests: HeldRequests, keys: readonly string[]): Promise<number[]> {
  const found: number[] = []
  for (let sample = 0; sample < Math.min(samples, keys.length); sample++) {
    const key = keys[Math.floor((sample * keys.length) / Math.min(samples, keys.length))]!
    found.push(await wakeOf(asked, key, () => requests.woken(key)))
  }
  return found
}

async function wakeAlone(asked: Asked): Promise<number> {
  const found: number[] = []
  for (const key of keysOf('one', samples)) {
    using requests = await HeldRequests.open('waiters', asked.store.url, asked.path, [key])
    await Bun.sleep(sentMs)
    found.push(await wakeOf(asked, key, () => requests.woken(key)))
  }
  return percentile(found, 0.99)
}

async function wakeOf({ bench, settings }: Asked, key: string, woken: () => Promise<number>): Promise<number> {
  const { partition, bytes } = oneRecord(key, '{"woken":true}', settings.partitions)
  const arrived = woken()
  const sentAt = performance.now()
  await produce(bench.client, settings.source, [{ partition, bytes }])
  return (await arrived) - sentAt
}

function keysOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
}

async function untilHeld({ store }: Asked, kind: HeldKind, count: number): Promise<void> {
  const line = kind === 'followers' ? `latchkey_followers ${count}\n` : `latchkey_waiting ${count}\n`
  while (!(await (await fetch(`${store.url}/metrics`)).text()).includes(line)) await Bun.sleep(pollMs)
}
