import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { FaultRun } from '../support/fault-run/fault-run.ts'
import { api, readFetchTopic } from '../support/fault-run/wire.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'

/** A restart of a broker is slow on a loaded machine. */
const testTimeoutMs = 150_000

let broker: KafkaBroker
let isDown = false

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

// A test that failed may have left it down.
afterEach(async () => {
  if (isDown) await start()
})

afterAll(() => broker.close())

test.each(['stop', 'kill'] as const)(
  'a store stays ready, answers, reports the problem, and catches up when its broker is lost by %s while it ingests',
  async (how) => {
    const run = await FaultRun.open(broker, Random.of(`broker ${how} in ingest`))
    try {
      run.workload.start()
      const store = await run.startReady()
      run.reader.start()
      await run.acknowledged(20)
      await end(how)
      await store.until('it is reported', async () => /source consumer: .* still retrying/.test(await reason(run)))
      expect(await store.isReady()).toBe(true)
      expect((await store.status(run.topic))?.state).toBe('running')
      expect(await store.metric('latchkey_fetch_failures_total')).toBeGreaterThan(0)
      expect(await store.metric('latchkey_condition')).toBeGreaterThan(0)
      await start()
      await run.acknowledged(20)
      await run.verify()
      await store.until('its trouble is over', async () => (await reason(run)) === '')
      expect(run.reader.refusals).toEqual([])
      expect(run.reader.unanswered).toBe(0)
      expect(store.isAlive).toBe(true)
    } finally {
      await run.close()
    }
  },
  testTimeoutMs,
)

test.each(['stop', 'kill'] as const)(
  'a store recovers when its broker is lost by %s while it recovers',
  async (how) => {
    const run = await FaultRun.open(broker, Random.of(`broker ${how} in recovery`))
    try {
      run.workload.start()
      await run.startReady()
      await run.acknowledged(20)
      expect(await run.process.stop()).toBe(0)

      const changelog = await run.namesOfChangelog()
      const fetched = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      run.recorder.faults.request = ({ apiKey, frame }) => {
        if (apiKey !== api.fetch || !changelog.has(readFetchTopic(frame))) return
        fetched.resolve()
        return released.promise
      }
      const store = await run.start()
      run.reader.start()
      await fetched.promise
      await end(how)
      released.resolve()
      await store.until('it is reported', async () => /changelog consumer: .* still retrying/.test(await reason(run)))
      expect((await store.status(run.topic))?.state).toBe('recovering')
      expect((await store.get('/livez')).status).toBe(200)
      expect((await store.get(`/stores/${run.topic}/key-0`)).status).toBe(503)
      await start()
      await run.ready()
      await run.verify()
    } finally {
      await run.close()
    }
  },
  testTimeoutMs,
)

async function reason(run: FaultRun): Promise<string> {
  return (await run.process.status(run.topic))?.reason ?? ''
}

async function end(how: 'stop' | 'kill'): Promise<void> {
  isDown = true
  await broker[how]()
}

async function start(): Promise<void> {
  await broker.start()
  isDown = false
}
