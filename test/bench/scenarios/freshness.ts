/** How long it takes from a source record's append to its being readable, while little comes: what the flush settings decide. */
import type { Contender, RunningStore } from '../contenders/index.ts'
import { textOf } from '../report/metrics.ts'
import { percentile } from '../report/statistics.ts'
import { produce } from '../topics/filler.ts'
import { oneRecord } from '../topics/one-record.ts'
import { type Bench, dropTopics, filledTopic, newStore, rotated, running, say } from './bench.ts'

const samples = 120
const spreadMs = 8_000
const pollMs = 2
const visibleMaxMs = 20_000

interface Fresh {
  p50: number
  p99: number
}

type Flush = 'default' | 'fastest'

export async function freshness(bench: Bench): Promise<void> {
  const [first] = bench.contenders
  // Whoever came first would pay for the broker and for this program, which have done nothing of the kind yet: 4 ms of 15 [measured].
  if (first) await measure(bench, first, 'default')
  for (let round = 0; round < bench.options.rounds; round++)
    for (const contender of rotated(bench.contenders, round)) {
      const { p50: freshDefaultP50, p99: freshDefaultP99 } = await measured(bench, contender, 'default')
      bench.results.add(contender.name, { freshDefaultP50, freshDefaultP99 })
      if (!contender.flushes) continue
      const { p50: freshFastestP50, p99: freshFastestP99 } = await measured(bench, contender, 'fastest')
      bench.results.add(contender.name, { freshFastestP50, freshFastestP99 })
    }
}

async function measured(bench: Bench, contender: Contender, flush: Flush): Promise<Fresh> {
  const fresh = await measure(bench, contender, flush)
  const { p50, p99 } = fresh
  say(`${contender.name}: fresh after ${textOf(p50, 'ms')} ms, p99 ${textOf(p99, 'ms')} ms, ${flush} flush`)
  return fresh
}

async function measure(bench: Bench, contender: Contender, flush: Flush): Promise<Fresh> {
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
  await dropTopics(bench, [source, contender.changelogOf(settings.id)])
  return { p50: percentile(found, 0.5), p99: percentile(found, 0.99) }
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
