/** A hundred thousand keys updated at full speed for as long as is asked: memory has to stay, and cleaning must not hold lookups up. */
import { uniqueName } from '../../support/kafka/index.ts'
import type { Contender } from '../contenders/index.ts'
import { watchPauses } from '../load/pauses.ts'
import { textOf } from '../report/metrics.ts'
import { spreadOf } from '../report/statistics.ts'
import { subject } from '../report/wanted.ts'
import { updateEndlessly } from '../topics/endless.ts'
import { endOf } from '../topics/ends.ts'
import { type Bench, dropTopics, newStore, newTopic, running, say } from './bench.ts'
import { addPauses } from './pauses.ts'

const keys = 100_000
const cleaning = { whole: 'cleaningPause', own: 'cleaningOwnPause' } as const
const pacing = { whole: 'pacedPause', own: 'pacedOwnPause' } as const
/** Memory may grow this long, or a third of the time where that is shorter. */
const settleMs = 60_000
const sampleMs = 1000
const pollMs = 50
/** What takes longer is measured once. */
const shortSeconds = 60
/** While tables grow, and the broker and the store compile what is hot: see scale.ts, which watches that. */
const growthMs = 3_000
const leadMax = 1_000_000
/** Runs last, and slowly enough that a processor is always free: a pause is then caused by the store, not by the scheduler. */
const paced = { perSecond: 100_000, ms: 15_000 }
/** So that ten minutes do not fill a disk. */
const short = { 'retention.bytes': '300000000', 'segment.bytes': '50000000' }
/** What is deleted soon needs no compaction, which took the broker half a processor all the time. */
const uncompacted = { 'cleanup.policy': 'compact,delete', 'min.compaction.lag.ms': '86400000' }

export async function endless(bench: Bench): Promise<void> {
  const contender = bench.contenders.find(({ name }) => name === subject)
  if (!contender) return
  const rounds = bench.options.endlessSeconds > shortSeconds ? 1 : bench.options.rounds
  for (let round = 0; round < rounds; round++) await update(bench, contender)
}

async function update(bench: Bench, contender: Contender): Promise<void> {
  const { client, results } = bench
  const { partitions, valueBytes, endlessSeconds } = bench.options
  const source = await newTopic(bench, uniqueName('bench-endless'), partitions, short)
  const config = { ...short, ...uncompacted }
  const settings = await newStore(bench, contender, source, { records: keys, config })
  const follower = contender.changelogOf(settings.id)
  const totalMs = endlessSeconds * 1000
  await running(contender, settings, async (store) => {
    await store.answers()
    const startedAt = performance.now()
    const watching = Bun.sleep(growthMs).then(() => watchPauses(store, keys))
    const resident: { atMs: number; bytes: number }[] = []
    const sampling = setInterval(() => {
      resident.push({ atMs: performance.now() - startedAt, bytes: store.residentBytes() })
      if (resident.length % 30 === 0) say(`endless: ${textOf(store.residentBytes() / 1e6, 'MB')} MB`)
    }, sampleMs)
    const updates = { topic: source, partitions, keys, valueBytes, follower, leadMax }
    const written = await updateEndlessly(client, updates, () => performance.now() >= startedAt + totalMs)
    const ingested = await endOf(client, follower, partitions)
    const ingestedMs = performance.now() - startedAt
    clearInterval(sampling)
    const pauses = await (await watching).end()
    const settled = Math.min(settleMs, totalMs / 3)
    const bytesOf = (from: number, to: number) =>
      spreadOf(resident.filter(({ atMs }) => atMs >= from && atMs <= to).map(({ bytes }) => bytes)).median
    const atEnd = bytesOf(totalMs * 0.75, totalMs)
    results.add(contender.name, {
      endlessIngest: (ingested / ingestedMs) * 1000,
      endlessMemory: atEnd / 1e6,
      endlessGrowth: atEnd / bytesOf(settled, settled + totalMs / 4),
    })
    addPauses(results, contender.name, cleaning, pauses)
    while ((await endOf(client, follower, partitions)) < written) await Bun.sleep(pollMs)
    const pacedWatch = await watchPauses(store, keys)
    const pacedUpdates = { ...updates, perSecond: paced.perSecond }
    const pacedUntil = performance.now() + paced.ms
    await updateEndlessly(client, pacedUpdates, () => performance.now() >= pacedUntil)
    const pacedPauses = await pacedWatch.end()
    addPauses(results, contender.name, pacing, pacedPauses)
    say(
      `endless: ${ingested} records, ${textOf(atEnd / 1e6, 'MB')} MB, longest pause ${textOf(pauses.pauseMs, 'ms')} ms, paced ${textOf(pacedPauses.pauseMs, 'ms')} ms`,
    )
  })
  await dropTopics(bench, [source, follower])
}
