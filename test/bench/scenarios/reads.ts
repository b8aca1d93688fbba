/**
 * Many keys in one request, and a dump of all entries, next to single lookups: processor time an entry. Then a dump beside lookups,
 * without and with ingest. One HTTP thread, so that it is known which thread the dump shares with the lookups.
 */
import type { RunningStore, StoreSettings } from '../contenders/index.ts'
import { dumpOn, dumpOnce } from '../load/dump.ts'
import { type Load, lookups } from '../load/load.ts'
import { keysOf, type LoadForm } from '../load/requests.ts'
import { textOf } from '../report/metrics.ts'
import { idleShareOf, shareOf, type ThreadLoad } from '../report/share.ts'
import { subject } from '../report/wanted.ts'
import { updateEndlessly } from '../topics/endless.ts'
import { endOf } from '../topics/ends.ts'
import { valueOf } from '../topics/values.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, running, say } from './bench.ts'

/** A JIT has to have seen requests before they are timed. */
const warmSeconds = 3
const pollMs = 100
const dumpsARound = 3
/** Of all keys: batches of all of them would be too much memory for the bench. */
const updatedKeysMax = 100_000
const leadMax = 500_000
/** Records that the store has ingested before anything is timed. */
const ingestAhead = 100_000
/** The client of a dump has started by then. */
const dumpAheadSeconds = 1

const metricOf = { single: 'readsSingle', keys: 'readsKeys', query: 'readsQuery' } as const
const forms = Object.keys(metricOf) as LoadForm[]

interface Asked {
  bench: Bench
  store: RunningStore
  settings: StoreSettings
}

export async function reads(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (contender === undefined) return
  const source = await filledTopic(bench, 'reads')
  const settings = { ...(await newStore(bench, contender, source)), environment: { HTTP_THREADS: '1' } }
  const follower = contender.changelogOf(settings.id)
  await running(contender, settings, async (store) => {
    const asked: Asked = { bench, store, settings }
    await store.answers()
    await untilFull(asked)
    await verifyMany(asked)
    for (const form of forms) await load(asked, form, warmSeconds)
    await dumpOnce(collectionOf(asked))
    for (let round = 0; round < bench.options.rounds; round++) {
      await manyKeys(asked, round)
      await dumpAlone(asked)
      await dumpBesideLookups(asked)
      await dumpBesideIngest(asked, follower)
    }
  })
  await dropTopics(bench, [source, follower])
}

function collectionOf({ store }: Asked): string {
  return `${store.url}${store.lookupPath.slice(0, -1)}`
}

async function untilFull(asked: Asked): Promise<void> {
  for (;;) {
    const response = await fetch(`${collectionOf(asked)}?count`)
    const { count } = (await response.json()) as { count?: number }
    if (count === asked.settings.entries) return
    await Bun.sleep(pollMs)
  }
}

/** Nothing that is fast and wrong counts. */
async function verifyMany(asked: Asked): Promise<void> {
  const { entries, valueBytes } = asked.settings
  const ids = [0, Math.floor(entries / 2), entries - 1]
  const keys = ids.map((id) => `user-${id}`)
  const url = collectionOf(asked)
  const init = { method: 'QUERY', body: JSON.stringify({ keys }), headers: { 'content-type': 'application/json' } }
  for (const response of [await fetch(`${url}?keys=${keys.join('&keys=')}`), await fetch(url, init)]) {
    const found = (await response.json()) as { entries?: { value: unknown }[] }
    const expected = ids.map((id) => JSON.parse(valueOf(id, 0, valueBytes)) as unknown)
    if (
      !Bun.deepEquals(
        found.entries?.map(({ value }) => value),
        expected,
      )
    ) {
      throw new Error(`${asked.settings.id} answers ${response.status} for many keys: ${JSON.stringify(found)}`)
    }
  }
}

async function load({ bench, store, settings }: Asked, form: LoadForm, seconds: number): Promise<Load> {
  const { connections } = bench.options
  const { url, lookupPath } = store
  const found = await lookups({ url, lookupPath, keys: settings.entries, connections, seconds, form })
  if (found.failures > 0) throw new Error(`${subject}: ${found.failures} requests failed`)
  return found
}

/** By turns; the gain is that of one round, in which the machine was as fast for all. */
async function manyKeys(asked: Asked, round: number): Promise<void> {
  const { bench, store } = asked
  const { seconds } = bench.options
  const micros = { single: 0, keys: 0, query: 0 }
  for (const form of rotated(forms, round)) {
    const before = store.processorMs()
    const { perSecond } = await load(asked, form, seconds)
    micros[form] = ((store.processorMs() - before) * 1_000) / (perSecond * seconds * keysOf(form))
    bench.results.add(subject, { [metricOf[form]]: micros[form] })
    say(`reads: ${form}: ${textOf(micros[form], 'µs')} µs a key`)
  }
  const { single, keys, query } = micros
  bench.results.add(subject, { readsKeysGain: single / keys, readsQueryGain: single / query })
}

/** After the lookups of the same round, with which it is compared. */
async function dumpAlone(asked: Asked): Promise<void> {
  const { results } = asked.bench
  const before = asked.store.processorMs()
  let entries = 0
  for (let dump = 0; dump < dumpsARound; dump++) entries += (await dumpOnce(collectionOf(asked))).entries
  const dumpEntry = ((asked.store.processorMs() - before) * 1_000) / entries
  const single = results.samples.findLast(({ metric }) => metric === 'readsSingle')!.value
  results.add(subject, { dumpEntry, dumpRatio: dumpEntry / single })
  say(`reads: dump alone: ${textOf(dumpEntry, 'µs')} µs an entry`)
}

async function dumpBesideLookups(asked: Asked): Promise<void> {
  const { share, rate, idleP99, p99 } = await dumpBeside(asked)
  const found = { dumpShare: share, dumpBesideRate: rate, dumpIdleP99: idleP99, dumpP99: p99 }
  asked.bench.results.add(subject, found)
  say(`reads: dump beside lookups: ${textOfShare(share)} of the thread, p99 ${textOf(p99, 'ms')} ms`)
}

async function dumpBesideIngest(asked: Asked, follower: string): Promise<void> {
  const { bench, settings } = asked
  const { partitions, entries, valueBytes } = settings
  const keys = Math.min(entries, updatedKeysMax)
  const updates = { topic: settings.source, partitions, keys, valueBytes, follower, leadMax }
  let isOver = false
  const endOfChangelog = () => endOf(bench.client, follower, partitions)
  const start = await endOfChangelog()
  const updating = updateEndlessly(bench.client, updates, () => isOver)
  while ((await endOfChangelog()) < start + ingestAhead) await Bun.sleep(pollMs)
  const before = await endOfChangelog()
  const startedAt = performance.now()
  const { share, rate, idleP99, p99 } = await dumpBeside(asked)
  const after = await endOfChangelog()
  const ingest = ((after - before) * 1_000) / (performance.now() - startedAt)
  isOver = true
  const written = await updating
  while ((await endOfChangelog()) < start + written) await Bun.sleep(pollMs)
  bench.results.add(subject, {
    dumpIngestShare: share,
    dumpIngestRate: rate,
    dumpIngest: ingest,
    dumpIngestIdleP99: idleP99,
    dumpIngestP99: p99,
  })
  say(`reads: … and ingest: ${textOfShare(share)} of the thread, p99 ${textOf(p99, 'ms')} ms`)
}

/** Lookups without a dump, then with dumps one after another. */
async function dumpBeside(asked: Asked) {
  const { store } = asked
  const alone = await threadLoad(asked)
  const dumping = dumpOn(store.url, store.lookupPath.slice(0, -1))
  await load(asked, 'single', dumpAheadSeconds)
  const beside = await threadLoad(asked)
  const { entries, ms } = await dumping.end()
  say(`reads: lookups left their thread idle for ${textOf(idleShareOf(alone) * 100, 'ratio')} % before the dump`)
  return { share: shareOf(alone, beside), rate: (entries / ms) * 1_000, idleP99: alone.p99Ms, p99: beside.p99Ms }
}

function textOfShare(share: number | undefined): string {
  return share === undefined ? 'an unknown share' : textOf(share, 'ratio')
}

async function threadLoad(asked: Asked): Promise<ThreadLoad & Load> {
  const { seconds } = asked.bench.options
  const before = asked.store.firstThread()
  const startedAt = performance.now()
  const found = await load(asked, 'single', seconds)
  const wallMs = performance.now() - startedAt
  const after = asked.store.firstThread()
  const ranMs = after.ranMs - before.ranMs
  return { ...found, lookups: found.perSecond * seconds, ranMs, waitedMs: after.waitedMs - before.waitedMs, wallMs }
}
