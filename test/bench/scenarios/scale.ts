/** What a record costs with ten times as many entries, and the longest pause of lookups while the tables grow to hold them. */
import type { Contender } from '../contenders/index.ts'
import { type Pauses, watchPauses } from '../load/pauses.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, say } from './bench.ts'
import { addPauses } from './pauses.ts'
import { type Ingested, ingestWhole, recoverAndLookUp, type Recovered } from './stages.ts'

const times = 10
const growth = { whole: 'growthPause', own: 'growthOwnPause' } as const

export async function scale(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return
  for (let round = 0; round < bench.options.rounds; round++) await compare(bench, contender)
}

/** Small and large right after each other, since the machine is not as fast at all times. */
async function compare(bench: Bench, contender: Contender): Promise<void> {
  const small = await measure(bench, contender, bench.options.records)
  const large = await measure(bench, contender, bench.options.records * times)
  bench.results.add(contender.name, {
    scaleIngest: small.ingest / large.ingest,
    scaleRecovery: (small.recoveryOwn ?? small.recovery) / (large.recoveryOwn ?? large.recovery),
    scaleLookup: small.lookups / large.lookups,
    scaleMemory: large.memoryEntry / small.memoryEntry,
  })
  addPauses(bench.results, contender.name, growth, large)
}

type Measured = Ingested & Recovered & Pauses

async function measure(bench: Bench, contender: Contender, records: number): Promise<Measured> {
  const source = await filledTopic(bench, 'scale', { records })
  say(`${records} records written`)
  const settings = await newStore(bench, contender, source, { records })
  const paused = Promise.withResolvers<Pauses>()
  const ingested = await ingestWhole(bench, contender, settings, records, async (store) => {
    const watch = await watchPauses(store, records)
    return async () => paused.resolve(await watch.end())
  })
  const recovered = await recoverAndLookUp(bench, contender, settings)
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
  return { ...ingested, ...recovered, ...(await paused.promise) }
}
