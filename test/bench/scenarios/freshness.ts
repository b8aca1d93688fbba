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

const metrics = {
  default: { p50: 'freshDefaultP50', p99: 'freshDefaultP99' },
  fastest: { p50: 'freshFastestP50', p99: 'freshFastestP99' },
} as const

type Flush = keyof typeof metrics

export async function freshness(bench: Bench): Promise<void> {
  const [first] = bench.contenders
  // Warm-up: the first contender would otherwise pay for the broker and this program: 4 ms of 15 [measured].
  if (first) await delays(bench, first, 'default')
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const contender of rotated(bench.contenders, round)) {
      await measure(bench, contender, 'default')
      if (contender.flushes) await measure(bench, contender, 'fastest')
    }
  }
}

async function measure(bench: Bench, contender: Contender, flush: Flush): Promise<void> {
  const found = await delays(bench, contender, flush)
  const [p50, p99] = [percentile(found, 0.5), percentile(found, 0.99)]
  bench.results.add(contender.name, { [metrics[flush].p50]: p50, [metrics[flush].p99]: p99 })
  say(`${contender.name}: fresh after ${textOf(p50, 'ms')} ms, p99 ${textOf(p99, 'ms')} ms, ${flush} flush`)
}

/** In milliseconds, of `samples` records. */
async function delays(bench: Bench, contender: Contender, flush: Flush): Promise<number[]> {
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
  return found
}

/** From just before the record is sent, so that the result is not too short. */
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
