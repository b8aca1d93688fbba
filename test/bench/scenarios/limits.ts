/** What bounds any contender here: whole responses fetched but not decoded, and a server that always answers the same. */
import { join } from 'node:path'
import { freePorts } from '../../kafka/ports.ts'
import { rawFetch } from '../limits/raw-fetch.ts'
import { lookups } from '../load/load.ts'
import { textOf } from '../report/metrics.ts'
import { limit } from '../report/results.ts'
import { type Bench, dropTopics, filledTopic, say } from './bench.ts'

export async function limits(bench: Bench): Promise<void> {
  const { options, kafka, results } = bench
  const source = await filledTopic(bench, 'limit')
  for (let round = 0; round < options.rounds; round++) {
    const fetched = await rawFetch(kafka.bootstrap, source, options.partitions)
    const { perSecond, p50Ms, p99Ms, processorShare } = await constantAnswers(options)
    results.add(limit, { ingest: fetched, recovery: fetched, recoveryOwn: fetched })
    results.add(limit, { lookups: perSecond, idleP50: p50Ms, idleP99: p99Ms, loadShare: processorShare })
    say(`limits: fetch ${textOf(fetched, 'records/s')} records/s, constant answer ${textOf(perSecond, '/s')}/s`)
  }
  await dropTopics(bench, [source])
}

async function constantAnswers({ valueBytes, connections, seconds }: Bench['options']) {
  const [port = 0] = await freePorts(1)
  const script = join(import.meta.dir, '../limits/constant-answer.ts')
  const server = Bun.spawn([process.execPath, script, String(port), String(valueBytes)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  try {
    const url = `http://127.0.0.1:${port}`
    while (!(await fetch(url).catch(() => undefined))?.ok) await Bun.sleep(10)
    const target = { url, lookupPath: '/stores/constant/', keys: 1_000_000, connections }
    await lookups({ ...target, seconds: 1 })
    return await lookups({ ...target, seconds })
  } finally {
    server.kill()
    await server.exited
  }
}
