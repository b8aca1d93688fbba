/** What formats and store modules cost: the same source ingested by turns, each time with other settings. */
import { join } from 'node:path'
import type { Contender } from '../contenders/index.ts'
import { spreadOf } from '../report/statistics.ts'
import { aligned, cellOfSpread } from '../report/table.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, say } from './bench.ts'
import { type Ingested, ingestWhole } from './stages.ts'

interface Variant {
  name: string
  environment: Readonly<Record<string, string>>
}

const moduleAt = (name: string) => ({ STORE_MODULE: join(import.meta.dir, '../modules', name) })
const variants: readonly Variant[] = [
  { name: 'raw', environment: {} },
  { name: 'VALUE_FORMAT=json', environment: { VALUE_FORMAT: 'json' } },
  { name: 'module: two fields', environment: moduleAt('two-fields.ts') },
  { name: 'module: schema', environment: moduleAt('schema.ts') },
  { name: 'module: onNew, onUpdate', environment: moduleAt('count.ts') },
]

export async function conversions(bench: Bench): Promise<string[]> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return []
  const source = await filledTopic(bench, 'conversions')
  const found = new Map<Variant, Ingested[]>(variants.map((variant) => [variant, []]))
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const variant of rotated(variants, round)) {
      found.get(variant)!.push(await measure(bench, contender, source, variant))
    }
  }
  await dropTopics(bench, [source])
  const heads = ['Conversion', 'ingest, records/s', 'processor time a record, µs']
  return [aligned([heads, ...variants.map((variant) => rowOf(variant, found.get(variant)!))])]
}

async function measure(bench: Bench, contender: Contender, source: string, variant: Variant): Promise<Ingested> {
  say(variant.name)
  const settings = { ...(await newStore(bench, contender, source)), environment: variant.environment }
  const ingested = await ingestWhole(bench, contender, settings, bench.options.records)
  await dropTopics(bench, [contender.changelogOf(settings.id)])
  return ingested
}

function rowOf({ name }: Variant, found: readonly Ingested[]): string[] {
  const rates = found.map(({ ingest }) => ingest)
  const times = found.map(({ ingestProcessor }) => ingestProcessor)
  return [name, cellOfSpread(spreadOf(rates), 'records/s'), cellOfSpread(spreadOf(times), 'µs')]
}
