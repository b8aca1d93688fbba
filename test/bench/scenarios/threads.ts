/**
 * What a second thread brings, by turns with one: where its work is what a processor is short of, and where broker and load need the second processor
 * themselves. Cores beyond two are not needed to see either.
 */
import { join } from 'node:path'
import type { Contender, StoreSettings } from '../contenders/index.ts'
import { type Metric, textOf } from '../report/metrics.ts'
import { spreadOf } from '../report/statistics.ts'
import { aligned, cellOfSpread } from '../report/table.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, say } from './bench.ts'
import { ingestWhole, recoverAndLookUp } from './stages.ts'

type Environment = Readonly<Record<string, string>>

interface Work {
  name: string
  setting: 'STORE_THREADS' | 'HTTP_THREADS'
  unit: Metric['unit']
  /** By number of threads, round by round. */
  rates: [one: number[], two: number[]]
}

const modules = join(import.meta.dir, '../modules')
const counting: Environment = { STORE_MODULE: join(modules, 'count.ts') }
const rendered: Environment = {
  VALUE_FORMAT: 'json',
  STORE_FORMAT: 'protobuf',
  STORE_MESSAGE: 'bench.User',
  PROTO_FILE: join(modules, 'user.proto'),
}

export async function threads(bench: Bench): Promise<string[]> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return []
  const work = (name: string, setting: Work['setting'], unit: Work['unit'] = 'records/s'): Work => {
    return { name, setting, unit, rates: [[], []] }
  }
  const ingest = work('ingest, raw', 'STORE_THREADS')
  const counted = work('ingest, a module with onNew and onUpdate', 'STORE_THREADS')
  const recovery = work('recovery, from the start of the process', 'STORE_THREADS')
  const lookups = work('lookups, raw', 'HTTP_THREADS', '/s')
  const shown = work('lookups, Protocol Buffers shown as JSON', 'HTTP_THREADS', '/s')
  const source = await filledTopic(bench, 'threads')
  const isOdd = (round: number) => round % 2 === 1
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const count of isOdd(round) ? ([2, 1] as const) : ([1, 2] as const)) {
      say(`${count} ${count === 1 ? 'thread' : 'threads'}`)
      const store = { STORE_THREADS: String(count) }
      const http = { HTTP_THREADS: String(count) }
      const add = ({ rates }: Work, rate: number) => void rates[count - 1]!.push(rate)
      add(counted, (await ingested(bench, contender, source, { ...counting, ...store })).rate)
      const raw = await ingested(bench, contender, source, store, async (settings) => {
        const set = (environment: Environment) => ({ ...settings, environment })
        add(recovery, (await recoverAndLookUp(bench, contender, set(store), lookupsOf(bench, 1))).recovery)
        add(lookups, (await recoverAndLookUp(bench, contender, set(http))).lookups)
      })
      add(ingest, raw.rate)
      await ingested(bench, contender, source, rendered, async (settings) => {
        const environment = { ...rendered, ...http }
        add(shown, (await recoverAndLookUp(bench, contender, { ...settings, environment })).lookups)
      })
    }
  }
  await dropTopics(bench, [source])
  const heads = ['Work', 'Setting', '1 thread', '2 threads', 'gain']
  return [aligned([heads, ...[ingest, counted, recovery, lookups, shown].map(rowOf)])]
}

function lookupsOf({ options }: Bench, seconds: number) {
  return { connections: options.connections, seconds }
}

/** Ingests the source, and uses the resulting store before it is deleted. */
async function ingested(
  bench: Bench,
  contender: Contender,
  source: string,
  environment: Environment,
  use: (settings: StoreSettings) => Promise<void> = async () => {},
): Promise<{ rate: number }> {
  const settings = { ...(await newStore(bench, contender, source)), environment }
  const { ingest } = await ingestWhole(bench, contender, settings, bench.options.records)
  await use(settings)
  await dropTopics(bench, [contender.changelogOf(settings.id)])
  return { rate: ingest }
}

function rowOf({ name, setting, unit, rates: [one, two] }: Work): string[] {
  const gain = spreadOf(two).median / spreadOf(one).median
  return [name, setting, ...[one, two].map((rates) => cellOfSpread(spreadOf(rates), unit)), textOf(gain, 'ratio')]
}
