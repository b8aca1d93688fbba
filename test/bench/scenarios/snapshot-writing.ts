/**
 * Lookups and ingest, both as fast as they go, while a full snapshot is written, and without one, by turns. Each turn begins
 * with the same changelog: without a snapshot on the disk the first one has everything.
 */
import { rmSync } from 'node:fs'
import { temporaryFolder } from '../../support/process/temporary-folder.ts'
import type { Contender, RunningStore, StoreSettings } from '../contenders/index.ts'
import { lookups } from '../load/load.ts'
import { textOf } from '../report/metrics.ts'
import { subject } from '../report/wanted.ts'
import { endOf } from '../topics/ends.ts'
import { fillTopic } from '../topics/filler.ts'
import { type Bench, dropTopics, filledTopic, newStore, say } from './bench.ts'

const times = 10
/** More than are ingested beside lookups. */
const updatesPerSecond = 400_000
const residentPollMs = 100

interface Turn {
  p99Ms: number
  /** Records a second. */
  ingest: number
  residentBytes: number
}

export async function snapshotWriting(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return
  const records = bench.options.records * times
  const source = await filledTopic(bench, 'writing', { records: 0 })
  const settings = await newStore(bench, contender, source, { records }, records)
  say(`changelog of ${records} records written`)
  for (let round = 0; round < bench.options.rounds; round++) {
    const turns: Partial<Record<'with' | 'without', Turn>> = {}
    for (const which of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      turns[which] = await turn(bench, contender, settings, which === 'with')
    }
    const { with: beside, without } = turns as Record<'with' | 'without', Turn>
    bench.results.add(contender.name, {
      writingP99: beside.p99Ms,
      writingP99Ratio: beside.p99Ms / without.p99Ms,
      writingIngest: beside.ingest,
      writingIngestRatio: beside.ingest / without.ingest,
      writingMemoryRatio: beside.residentBytes / without.residentBytes,
    })
  }
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
}

async function turn(bench: Bench, contender: Contender, settings: StoreSettings, isWriting: boolean): Promise<Turn> {
  const { client, options } = bench
  const { connections, partitions, seconds, valueBytes } = options
  const { entries: keys, source } = settings
  const updates = { topic: source, partitions, records: seconds * updatesPerSecond, keys, round: 1, valueBytes }
  await fillTopic(bench.kafka.bootstrap, updates)
  const folder = temporaryFolder('bench-snapshots')
  const environment = { SNAPSHOT_DIR: folder }
  const store = await contender.start(isWriting ? { ...settings, environment } : settings)
  try {
    await store.answers()
    const changelog = contender.changelogOf(settings.id)
    const before = await endOf(client, changelog, partitions)
    const resident = watchResident(store)
    const load = await lookups({ url: store.url, lookupPath: store.lookupPath, keys, connections, seconds })
    const residentBytes = resident.end()
    const ingest = ((await endOf(client, changelog, partitions)) - before) / seconds
    if (load.failures > 0) throw new Error(`${load.failures} lookups failed`)
    if (isWriting && (await snapshotsOf(store)) >= partitions) say('the snapshots were written before the load ended')
    const found = `p99 ${textOf(load.p99Ms, 'ms')} ms, ${textOf(ingest, 'records/s')} records/s`
    say(`${isWriting ? 'with' : 'without'} a snapshot: ${found}, ${textOf(residentBytes / 1e6, 'MB')} MB`)
    return { p99Ms: load.p99Ms, ingest, residentBytes }
  } finally {
    await store.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Finds the largest resident size from now on. */
function watchResident(store: RunningStore): { end(): number } {
  let most = store.residentBytes()
  const timer = setInterval(() => (most = Math.max(most, store.residentBytes())), residentPollMs)
  return {
    end() {
      clearInterval(timer)
      return most
    },
  }
}

async function snapshotsOf({ url }: RunningStore): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Number(/^latchkey_snapshots_total(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1] ?? 0)
}
