/** How long it takes from a source record's append to its being readable, while little comes: what the flush settings decide. */
import type { Contender, RunningStore } from '../contenders/index.ts'
import { textOf } from '../report/metrics.ts'
import { percentile } from '../report/statistics.ts'
import { produce } from '../topics/filler.ts'
import { oneRecord } from '../topics/one-record.ts'
import { type Bench, dropTopics, filledTopic, newStore, running, say } from './bench.ts'

const samples = 120
const spreadMs = 8_000
const pollMs = 2
const visibleMaxMs = 20_000

export async function freshness(bench: Bench): Promise<void> {
  for (const contender of bench.contenders) {
    await measure(bench, contender, 'default')
    if (contender.flushes) await measure(bench, contender, 'fastest')
  }
}

async function measure(bench: Bench, contender: Contender, flush: 'default' | 'fastest'): Promise<void> {
  const source = await filledTopic(bench, 'fresh', { records: 0 })
  const settings = { ...(await newStore(bench, contender, source)), flush }
  const found = await running(contender, settings, async (store) => {
    await store.answers()
    await delayOf(bench, store, source, 'user-first') // consumers have their positions from here on
    // At times that have nothing to do with the store's own timers.
    const all = Array.from({ length: samples }, async (_, index) => {
      await Bun.sleep(Math.random() * spreadMs)
      return delayOf(bench, store, source, `user-fresh-${index}`)
    })
    return Promise.all(all)
  })
  const p50 = percentile(found, 0.5)
  const p99 = percentile(found, 0.99)
  if (flush === 'default') bench.results.add(contender.name, { freshDefaultP50: p50, freshDefaultP99: p99 })
  else bench.results.add(contender.name, { freshFastestP50: p50, freshFastestP99: p99 })
  say(`${contender.name}: fresh after ${textOf(p50, 'ms')} ms, p99 ${textOf(p99, 'ms')} ms, ${flush} flush`)
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
}

/** From just before the record is sent, so that it is not told too short. */
async function delayOf(bench: Bench, store: RunningStore, source: string, key: string): Promise<number> {
  const { partition, bytes } = oneRecord(key, '{"fresh":true}', bench.options.partitions)
  const sentAt = performance.now()
  await produce(bench.client, source, [{ partition, bytes }])
  for (;;) {
    const response = await fetch(`${store.url}${store.lookupPath}${key}`)
    await response.arrayBuffer()
    const passedMs = performance.now() - sentAt
    if (response.status === 200) return passedMs
    if (passedMs > visibleMaxMs) throw new Error(`${source}: ${key} cannot be read after ${visibleMaxMs} ms`)
    await Bun.sleep(pollMs)
  }
}
