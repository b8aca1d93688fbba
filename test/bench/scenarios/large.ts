/** A store of several million entries, recovered from a changelog that the bench wrote: memory and recovery, once each. */
import { lookups } from '../load/load.ts'
import { textOf } from '../report/metrics.ts'
import { type Bench, dropTopics, filledTopic, newStore, running, say, verify } from './bench.ts'

const touchSeconds = 3

export async function large(bench: Bench): Promise<void> {
  const { largeEntries: entries, connections } = bench.options
  const empty = await filledTopic(bench, 'empty', { records: 0 })
  for (const contender of bench.contenders) {
    const settings = await newStore(bench, contender, empty, { records: entries }, entries)
    await running(contender, settings, async (store) => {
      const ms = await store.answers()
      await verify(store, settings)
      const { url, lookupPath } = store
      await lookups({ url, lookupPath, keys: entries, connections, seconds: touchSeconds })
      const memoryLarge = store.residentBytes() / 1e6
      bench.results.add(contender.name, { memoryLarge, recoveryLarge: (entries / ms) * 1000 })
      say(`${contender.name}: ${entries} entries in ${(ms / 1000).toFixed(1)} s, ${textOf(memoryLarge, 'MB')} MB`)
    })
    await dropTopics(bench, [contender.changelogOf(settings.id)])
  }
  await dropTopics(bench, [empty])
}
