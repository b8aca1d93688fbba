import type { Contender, StoreSettings } from '../contenders/index.ts'
import { lookups } from '../load/load.ts'
import { endOf } from '../topics/ends.ts'
import { type Bench, running } from './bench.ts'

/** Lookups of a store that has recovered and ingests `updates` records as fast as it can meanwhile. */
export async function besideIngest(
  bench: Bench,
  contender: Contender,
  settings: StoreSettings,
  updates: number,
  warmSeconds: number,
) {
  const { client, options } = bench
  const { records: keys, connections, partitions, seconds } = options
  const changelog = contender.changelogOf(settings.id)
  const start = await endOf(client, changelog, partitions)
  return running(contender, settings, async (store) => {
    await store.answers()
    const target = { url: store.url, lookupPath: store.lookupPath, keys, connections }
    await lookups({ ...target, seconds: warmSeconds })
    const before = await endOf(client, changelog, partitions)
    const load = await lookups({ ...target, seconds })
    const after = await endOf(client, changelog, partitions)
    if (after - start >= updates) console.error(`${contender.name} had ingested everything before the load ended`)
    if (load.failures > 0) throw new Error(`${contender.name}: ${load.failures} lookups failed beside ingest`)
    return {
      besideLookups: load.perSecond,
      besideP50: load.p50Ms,
      besideP99: load.p99Ms,
      besideMax: load.maxMs,
      besideIngest: (after - before) / seconds,
    }
  })
}
