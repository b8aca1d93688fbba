/** What bounds ingest and recovery of any contender here: whole responses fetched, but not decoded. What bounds lookups is in lookups.ts. */
import { rawFetch } from '../limits/raw-fetch.ts'
import { textOf } from '../report/metrics.ts'
import { limit } from '../report/results.ts'
import { type Bench, dropTopics, filledTopic, say } from './bench.ts'

export async function limits(bench: Bench): Promise<void> {
  const { options, kafka, results } = bench
  const source = await filledTopic(bench, 'limit')
  for (let round = 0; round < options.rounds; round++) {
    const fetched = await rawFetch(kafka.bootstrap, source, options.partitions)
    results.add(limit, { ingest: fetched, recovery: fetched, recoveryOwn: fetched })
    say(`limit: fetch ${textOf(fetched, 'records/s')} records/s`)
  }
  await dropTopics(bench, [source])
}
