/** Resident memory an entry of stores of several sizes, less what an empty store takes; redis-server beside it. */
import type { Contender } from '../contenders/index.ts'
import { redis, startRedis } from '../contenders/redis.ts'
import { type MetricName, textOf } from '../report/metrics.ts'
import { subject } from '../report/wanted.ts'
import { type Bench, dropTopics, filledTopic, newStore, running, say } from './bench.ts'

const sizes = [1_000_000, 5_000_000, 10_000_000]
const metricOf: readonly MetricName[] = ['memoryEntry1', 'memoryEntry5', 'memoryEntry10']

export async function memory(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return
  const empty = await filledTopic(bench, 'empty', { records: 0 })
  const ofEmpty = await residentBytes(bench, contender, empty, 0)
  for (const [index, entries] of sizes.entries()) {
    const resident = await residentBytes(bench, contender, empty, entries)
    note(bench, contender.name, index, (resident - ofEmpty) / entries)
  }
  await dropTopics(bench, [empty])
  if (Bun.which('redis-server') === null) return say('memory: no redis-server beside it')
  const ofEmptyRedis = await redisBytes(bench, 0)
  for (const [index, entries] of sizes.entries()) {
    note(bench, redis, index, ((await redisBytes(bench, entries)) - ofEmptyRedis) / entries)
  }
}

function note(bench: Bench, name: string, index: number, bytes: number): void {
  bench.results.add(name, { [metricOf[index]!]: bytes })
  say(`${name}: ${sizes[index]!.toLocaleString('en')} entries, ${textOf(bytes, 'bytes')} bytes each`)
}

/** Of a store that has recovered so many entries and answers. */
async function residentBytes(bench: Bench, contender: Contender, source: string, entries: number): Promise<number> {
  const settings = await newStore(bench, contender, source, { records: entries }, entries)
  const bytes = await running(contender, settings, async (store) => {
    await store.answers()
    return store.residentBytes()
  })
  await dropTopics(bench, [contender.changelogOf(settings.id)])
  return bytes
}

async function redisBytes({ options }: Bench, entries: number): Promise<number> {
  await using server = await startRedis(entries, options.valueBytes, (id) => `user-${id}`)
  return server.residentBytes()
}
