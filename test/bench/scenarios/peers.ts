/** Ingest, recovery, lookups and memory of every contender, round by round; then lookups beside full ingest of each. */
import type { Contender, StoreSettings } from '../contenders/index.ts'
import { textOf } from '../report/metrics.ts'
import { fillTopic } from '../topics/filler.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, say } from './bench.ts'
import { besideIngest } from './beside.ts'
import { ingestWhole, recoverAndLookUp } from './stages.ts'

/** More than any contender ingests beside lookups, so that there is still something to ingest when the load ends. */
const updatesPerSecond = 800_000
const warmSeconds = 1

interface Kept {
  contender: Contender
  settings: StoreSettings
  /** Of the idle store. */
  idleP99: number
}

export async function peers(bench: Bench): Promise<void> {
  const { options, contenders, results } = bench
  const source = await filledTopic(bench, 'source')
  const empty = await filledTopic(bench, 'empty', { records: 0 })
  say(`source of ${options.records} records written`)
  const given = new Map<Contender, StoreSettings>()
  for (const contender of contenders.filter((one) => one.givenChangelog))
    given.set(contender, await newStore(bench, contender, empty, {}, options.records))
  const kept: Kept[] = []
  for (let round = 0; round < options.rounds; round++)
    for (const contender of rotated(contenders, round)) {
      const own = await ingested(bench, contender, source)
      const settings = given.get(contender) ?? own
      const recovered = await recoverAndLookUp(bench, contender, settings)
      results.add(contender.name, recovered)
      kept.push({ contender, settings, idleP99: recovered.idleP99 })
    }
  if (options.scenarios.includes('beside')) await beside(bench, kept, source)
  const changelogs = new Set(kept.map(({ contender, settings }) => contender.changelogOf(settings.id)))
  await dropTopics(bench, [source, empty, ...changelogs])
}

/** Of all records, or of the share that is measured. */
async function ingested(bench: Bench, contender: Contender, whole: string): Promise<StoreSettings> {
  const { options, results } = bench
  const records = Math.ceil(options.records * contender.ingestShare)
  const source = records === options.records ? whole : await filledTopic(bench, 'part', { records })
  const settings = await newStore(bench, contender, source)
  results.add(contender.name, { ...(await ingestWhole(bench, contender, settings, records)) })
  if (source !== whole) await dropTopics(bench, [source, contender.changelogOf(settings.id)])
  return settings
}

async function beside(bench: Bench, kept: readonly Kept[], source: string): Promise<void> {
  const { partitions, records: keys, seconds, valueBytes } = bench.options
  const records = (seconds + warmSeconds) * updatesPerSecond
  await fillTopic(bench.kafka.bootstrap, { topic: source, partitions, records, keys, round: 1, valueBytes })
  say(`source has ${records} updates more`)
  for (const { contender, settings, idleP99 } of kept) {
    const found = await besideIngest(bench, contender, { ...settings, source }, records, warmSeconds)
    bench.results.add(contender.name, { ...found, besideRatio: found.besideP99 / idleP99 })
    const perSecond = `${textOf(found.besideIngest, 'records/s')} records/s`
    say(`${contender.name}: p99 ${textOf(found.besideP99, 'ms')} ms beside ${perSecond}`)
  }
}
