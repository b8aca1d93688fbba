/** Ingest, recovery and memory of every contender, round by round; then lookups by turns, then lookups beside full ingest of each. */
import type { Contender, StoreSettings } from '../contenders/index.ts'
import { textOf } from '../report/metrics.ts'
import { fillTopic } from '../topics/filler.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, say } from './bench.ts'
import { besideIngest } from './beside.ts'
import { lookupsByTurns } from './lookups.ts'
import { ingestWhole, recoverAndLookUp } from './stages.ts'

/** More than any contender ingests beside lookups, so that there is still something to ingest when the load ends. */
const updatesPerSecond = 800_000
const warmSeconds = 1

type Kept = [contender: Contender, settings: StoreSettings]

export async function peers(bench: Bench): Promise<void> {
  const { options, contenders, results } = bench
  const source = await filledTopic(bench, 'source')
  const empty = await filledTopic(bench, 'empty', { records: 0 })
  say(`source of ${options.records} records written`)
  const given = new Map<Contender, StoreSettings>()
  for (const contender of contenders.filter((one) => one.givenChangelog)) {
    given.set(contender, await newStore(bench, contender, empty, {}, options.records))
  }
  const kept: Kept[] = []
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of rotated(contenders, round)) {
      const own = await ingested(bench, contender, source)
      const settings = given.get(contender) ?? own
      const { recovery, recoveryOwn, memory, memoryEntry } = await recoverAndLookUp(bench, contender, settings)
      results.add(contender.name, { recovery, recoveryOwn, memory, memoryEntry })
      kept.push([contender, settings])
    }
  }
  // Of each contender the last.
  await lookupsByTurns(bench, new Map(kept))
  if (options.scenarios.includes('beside')) await beside(bench, kept, source)
  const changelogs = new Set(kept.map(([contender, settings]) => contender.changelogOf(settings.id)))
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
  for (const [contender, settings] of kept) {
    const found = await besideIngest(bench, contender, { ...settings, source }, records, warmSeconds)
    const idle = bench.results.spread('idleP99', contender.name)
    bench.results.add(contender.name, { ...found, besideRatio: idle && found.besideP99 / idle.median })
    const perSecond = `${textOf(found.besideIngest, 'records/s')} records/s`
    say(`${contender.name}: p99 ${textOf(found.besideP99, 'ms')} ms beside ${perSecond}`)
  }
}
