/** The life of a store, stage by stage, each with what is measured in it. */
import type { Contender, RunningStore, StoreSettings } from '../contenders/index.ts'
import { lookups } from '../load/load.ts'
import { textOf } from '../report/metrics.ts'
import { growth } from '../topics/ends.ts'
import { type Bench, running, say, verify } from './bench.ts'

const ingestMaxMs = 600_000
/** A JIT has to have seen the lookups before they are timed. */
const warmSeconds = 3
const visibleMaxMs = 20_000
/** Offsets are committed about a second after the records. */
const commitMs = 1500

export interface Ingested {
  /** Records a second. */
  ingest: number
  /** Microseconds a record. */
  ingestProcessor: number
}

/** A store without changelog ingests its source, which has `records`. `beside` runs from the first answer on. */
export async function ingestWhole(
  bench: Bench,
  contender: Contender,
  settings: StoreSettings,
  records: number,
  beside: (store: RunningStore) => Promise<() => Promise<void>> = async () => async () => {},
): Promise<Ingested> {
  const changelog = contender.changelogOf(settings.id)
  return running(contender, settings, async (store) => {
    const growing = growth(bench.client, changelog, settings.partitions, 0, records, ingestMaxMs)
    await store.answers()
    const end = await beside(store)
    const grown = await growing
    const processorMs = store.processorMs()
    const ingest = (grown.records / grown.ms) * 1000
    say(`${contender.name}: ingest ${textOf(ingest, 'records/s')} records/s`)
    if (records === settings.entries) await settled(store, settings)
    await end()
    return { ingest, ingestProcessor: (processorMs * 1000) / records }
  })
}

/** What was ingested is visible and committed, so that the next start finds nothing to ingest. */
async function settled(store: RunningStore, settings: StoreSettings): Promise<void> {
  const deadline = performance.now() + visibleMaxMs
  for (;;) {
    const response = await fetch(`${store.url}${store.lookupPath}user-${settings.entries - 1}`)
    await response.arrayBuffer()
    if (response.status === 200) break
    if (performance.now() > deadline) throw new Error(`${settings.id} does not show what it has ingested`)
    await Bun.sleep(20)
  }
  await Bun.sleep(commitMs)
}

export interface Recovered {
  /** Records a second, from the start of the process. */
  recovery: number
  recoveryOwn: number | undefined
  lookups: number
  lookupProcessor: number
  loadShare: number
  idleP50: number
  idleP99: number
  /** Megabytes, once it has answered lookups. */
  memory: number
  memoryEntry: number
}

/** A store recovers `entries` records from its changelog, then answers lookups. */
export async function recoverAndLookUp(
  bench: Bench,
  contender: Contender,
  settings: StoreSettings,
  { connections, seconds }: Pick<Bench['options'], 'connections' | 'seconds'> = bench.options,
): Promise<Recovered> {
  const { entries } = settings
  return running(contender, settings, async (store) => {
    const ms = await store.answers()
    const ownMs = await store.recoveryMs()
    await verify(store, settings)
    const target = { url: store.url, lookupPath: store.lookupPath, keys: entries, connections }
    await lookups({ ...target, seconds: Math.min(seconds, warmSeconds) })
    const before = store.processorMs()
    const load = await lookups({ ...target, seconds })
    const processorMs = store.processorMs() - before
    if (load.failures > 0) throw new Error(`${contender.name}: ${load.failures} lookups failed`)
    const resident = store.residentBytes()
    say(
      `${contender.name}: ${entries} records recovered in ${(ms / 1000).toFixed(2)} s, ` +
        `lookups ${textOf(load.perSecond, '/s')}/s, ${textOf(resident / 1e6, 'MB')} MB`,
    )
    return {
      recovery: (entries / ms) * 1000,
      recoveryOwn: ownMs && (entries / ownMs) * 1000,
      lookups: load.perSecond,
      lookupProcessor: (processorMs * 1000) / (load.perSecond * seconds),
      loadShare: load.processorShare,
      idleP50: load.p50Ms,
      idleP99: load.p99Ms,
      memory: resident / 1e6,
      memoryEntry: resident / entries,
    }
  })
}
