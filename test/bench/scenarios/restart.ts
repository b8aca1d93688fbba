/** How long a start takes until its first answer after the store was ended: with few and many partitions. */
import type { Contender, StoreSettings } from '../contenders/index.ts'
import type { MetricName } from '../report/metrics.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, running, say } from './bench.ts'
import { ingestWhole } from './stages.ts'

/** As many as 500 partitions may have without the time of the records being what is measured. */
const records = 200_000
const counts = [4, 64, 500] as const
const metricOf = { 4: 'restart4', 64: 'restart64', 500: 'restart500' } as const satisfies Record<number, MetricName>

export async function restart(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return
  const stores = new Map<number, StoreSettings>()
  for (const partitions of counts) stores.set(partitions, await filledStore(bench, contender, partitions))
  for (let round = 0; round < bench.options.rounds; round++) await compare(bench, contender, stores)
  const all = [...stores.values()]
  await dropTopics(
    bench,
    all.flatMap(({ id, source }) => [source, contender.changelogOf(id)]),
  )
}

async function filledStore(bench: Bench, contender: Contender, partitions: number): Promise<StoreSettings> {
  const shape = { partitions, records }
  const source = await filledTopic(bench, `restart-${partitions}`, shape)
  const settings = await newStore(bench, contender, source, shape)
  await ingestWhole(bench, contender, settings, records)
  // The broker writes the first entry of each partition's index with the next marker. That alone takes it seconds with
  // 500 partitions, once.
  await firstAnswer(contender, settings)
  return settings
}

/** One right after the other, since the machine is not as fast at all times. */
async function compare(bench: Bench, contender: Contender, stores: ReadonlyMap<number, StoreSettings>): Promise<void> {
  const found = new Map<number, { ms: number; processorMs: number }>()
  for (const partitions of counts) {
    const measured = await firstAnswer(contender, stores.get(partitions)!)
    found.set(partitions, measured)
    const processor = Math.round(measured.processorMs)
    say(`${partitions} partitions: first answer after ${Math.round(measured.ms)} ms, ${processor} ms of a processor`)
    bench.results.add(contender.name, { [metricOf[partitions]]: measured.ms })
  }
  const [few, many] = [found.get(4)!, found.get(500)!]
  bench.results.add(contender.name, {
    restartProcessor500: many.processorMs,
    restartRatio: many.ms / few.ms,
    restartProcessorRatio: many.processorMs / few.processorMs,
  })
}

function firstAnswer(contender: Contender, settings: StoreSettings): Promise<{ ms: number; processorMs: number }> {
  return running(contender, settings, async (store) => {
    const ms = await store.answers()
    return { ms, processorMs: store.processorMs() }
  })
}
