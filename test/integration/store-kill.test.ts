import { afterAll, beforeAll, expect, test } from 'bun:test'
import { FaultRun } from '../support/fault-run/fault-run.ts'
import { api } from '../support/fault-run/wire.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'

const kills = 25
const answerDelayMsMax = 30
const testTimeoutMs = 150_000

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterAll(() => broker.close())

test(
  'a store loses nothing and shows nothing old when it is killed 25 times while it recovers and ingests',
  async () => {
    const random = Random.of('store-kill')
    const run = await FaultRun.open(broker, random)
    const seen = { starting: 0, recovering: 0, running: 0 }
    // The broker takes its time, so that something is under way whenever a kill comes.
    run.recorder.faults.produceAnswer = () => Bun.sleep(random.below(answerDelayMsMax))
    try {
      run.workload.start()
      run.reader.start()
      for (let kill = 0; kill < kills; kill++) {
        const store = await run.start()
        await momentToKill(run, random)
        const state = (await store.status(run.topic))?.state ?? 'starting'
        seen[state as keyof typeof seen]++
        await store.kill()
      }
      await run.startReady()
      const { reads } = await run.verify()
      expect(reads.length).toBeGreaterThan(1_000)
      expect(Math.min(seen.recovering, seen.running)).toBeGreaterThan(0)
      await run.verifyCompacted()
    } finally {
      await run.close()
    }
  },
  testTimeoutMs,
)

test(
  'a store recovers after a kill before any request or response',
  async () => {
    const run = await FaultRun.open(broker, Random.of('named points'))
    try {
      run.workload.start()
      run.reader.start()
      for (const name of Object.keys(points) as (keyof typeof api)[]) {
        for (const moment of ['asking', 'answered'] as const) {
          const killed = killAt(run, api[name], moment, points[name])
          await run.start()
          await killed
        }
      }
      await run.startReady()
      await run.verify()
    } finally {
      await run.close()
    }
  },
  testTimeoutMs,
)

/** How many such requests of a start pass first: some partitions are fenced already, some batches written, when the kill comes. */
const points: Record<keyof typeof api, number> = {
  createTopics: 0,
  metadata: 1,
  findCoordinator: 2,
  listOffsets: 2,
  initProducerId: 2,
  addPartitions: 2,
  endTransaction: 2,
  offsetFetch: 0,
  fetch: 2,
  produce: 3,
  offsetCommit: 1,
}

/** Kills the store when it has sent such a request, before the broker gets it, or before the answer gets to the store. */
function killAt(run: FaultRun, apiKey: number, moment: 'asking' | 'answered', passing: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { faults } = run.recorder
  let left = passing
  const strike = async (key: number | undefined) => {
    if (key !== apiKey || left-- !== 0) return undefined
    faults.request = faults.response = faults.produce = faults.produceAnswer = undefined
    await run.process.kill()
    resolve()
    return 'drop' as const
  }
  if (moment === 'asking') {
    faults.request = (request) => strike(request.apiKey)
    faults.produce = () => strike(api.produce)
  } else {
    faults.response = ({ request }) => strike(request?.apiKey)
    faults.produceAnswer = () => strike(api.produce)
  }
  return promise
}

/** At any time after the start, on sight of recovery, or some time after it runs. */
async function momentToKill(run: FaultRun, random: Random): Promise<void> {
  const isIn = async (...states: string[]) => states.includes((await run.process.status(run.topic))?.state ?? '')
  switch (random.pick(['start', 'recovery', 'ingest', 'ingest'])) {
    case 'start':
      return Bun.sleep(random.below(400))
    case 'recovery':
      return run.process.until('it recovers', () => isIn('recovering', 'running'))
    default:
      await run.process.until('it runs', () => isIn('running'))
      return Bun.sleep(random.below(1_500))
  }
}
