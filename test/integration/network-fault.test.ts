import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { FaultRun, type FaultRunOptions } from '../support/fault-run/fault-run.ts'
import { readTopic } from '../support/fault-run/oracle.ts'
import { api, readFetchTopic } from '../support/fault-run/wire.ts'
import { freeze, thaw } from '../support/kafka/broker/freeze.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const cuts = 40
const cutPauseMsMax = 150
/** Longer than the broker's session and than a store believes an answer, shorter than any deadline of a request. */
const frozenMs = 3_000

let broker: KafkaBroker
let run: FaultRun

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterEach(() => run.close())

afterAll(() => broker.close())

test('a store loses nothing when its connections are closed at random while it ingests, stops and recovers', async () => {
  const random = await open('cuts')
  run.workload.start()
  run.reader.start()
  await run.startReady()
  for (let destroy = 0; destroy < cuts; destroy++) {
    await Bun.sleep(random.below(cutPauseMsMax))
    broker.proxy!.cut()
    if (destroy !== cuts / 2) continue
    expect(await run.process.stop()).toBe(0)
    await run.start()
  }
  await run.ready()
  await run.verify()
  expect(broker.proxy!.accepted).toBeGreaterThan(cuts)
})

test('a store opens few connections when it resumes many partitions', async () => {
  const partitions = 16
  await open('connections', { partitions })
  run.workload.start()
  await run.startReady()
  await run.acknowledged(40)
  expect(await run.process.stop()).toBe(0)
  await until('its connections are closed', () => broker.proxy!.connections === 0)
  await run.startReady()
  await run.acknowledged(40)
  expect(broker.proxy!.connections).toBeLessThan(partitions)
  await run.verify()
})

test('a batch is retried and stored once when its acknowledgement is lost', async () => {
  await openSmall('lost acknowledgement')
  await run.startReady()
  let isFirst = true
  run.recorder.faults.produceAnswer = () => {
    const verdict = isFirst ? 'cut' : undefined
    isFirst = false
    return verdict
  }
  await run.workload.send([['key-1', 'one']])
  await run.workload.send([['key-1', 'two']])
  await run.visible('key-1', 'two')
  const [first, again] = run.recorder.answers
  expect([first?.errorCode, again?.errorCode]).toEqual([0, 0])
  expect(again?.baseOffset).toBe(first!.baseOffset)
  const { changelog } = await run.verify()
  expect(changelog.records.map(({ value }) => value)).toEqual(['one', 'two'])
})

test('a store exits with 0 on SIGTERM while its changelog does not answer', async () => {
  await openSmall('held recovery')
  await run.startReady()
  expect(await run.process.stop()).toBe(0)
  const changelog = await run.namesOfChangelog()
  const asked = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  run.recorder.faults.request = ({ apiKey, frame }) => {
    if (apiKey !== api.fetch || !changelog.has(readFetchTopic(frame))) return
    asked.resolve()
    return released.promise
  }
  await run.start()
  await asked.promise
  expect((await run.process.status(run.topic))?.state).toBe('recovering')
  expect(await run.process.stop()).toBe(0)
  released.resolve()
})

test('nothing is visible, flushed or committed before the changelog has acknowledged it', async () => {
  await openSmall('held acknowledgement')
  await run.startReady()
  await run.workload.send([['key-1', 'OLD']])
  await run.visible('key-1', 'OLD')
  const released = Promise.withResolvers<void>()
  run.recorder.faults.produceAnswer = () => released.promise
  await run.workload.send([['key-1', 'NEW']])
  await run.process.until('the broker has it', async () => {
    return (await readTopic(broker.direct, run.changelog)).records.some(({ value }) => value === 'NEW')
  })
  const flush = run.process.get(`/flush-store/${run.topic}`, { method: 'POST' })
  const winner = await Promise.race([flush, run.process.until('a second has passed', hasPassed(1_000))])
  expect(winner).toBeUndefined()
  expect(await run.lookUp('key-1')).toBe('OLD')
  expect(run.recorder.commits.at(-1)?.offset).toBe(1)
  released.resolve()
  expect((await flush).status).toBe(200)
  expect(await run.lookUp('key-1')).toBe('NEW')
  await run.verify()
})

test('a store answers, and continues afterwards, when its broker is frozen for a while', async () => {
  await open('frozen broker')
  run.workload.start()
  await run.startReady()
  run.reader.start()
  await run.acknowledged(20)
  freeze(broker)
  await Bun.sleep(frozenMs)
  expect(await run.process.isReady()).toBe(true)
  thaw(broker)
  await run.acknowledged(20)
  await run.verify()
  expect(run.reader.refusals).toEqual([])
  expect(run.reader.unanswered).toBe(0)
})

test('a store continues after it was frozen itself', async () => {
  await open('frozen store')
  run.workload.start()
  await run.startReady()
  run.reader.start()
  await run.acknowledged(20)
  run.process.signal('SIGSTOP')
  await Bun.sleep(frozenMs)
  run.process.signal('SIGCONT')
  await run.acknowledged(20)
  await run.verify()
  expect(run.reader.refusals).toEqual([])
})

test('a store that was frozen and replaced meanwhile writes nothing more and reports why', async () => {
  await open('replaced store')
  run.workload.start()
  const frozen = await run.startReady()
  // It has more to commit than it has committed.
  await run.committed(1)
  await run.acknowledged(20)
  frozen.signal('SIGSTOP')
  const longEnough = Bun.sleep(frozenMs)
  await run.startReady()
  run.reader.start()
  await run.committed(1)
  await longEnough
  frozen.signal('SIGCONT')
  await frozen.until('it is reported', async () => {
    return /another instance .* has taken partition/.test((await frozen.status(run.topic))?.reason ?? '')
  })
  expect(await (await frozen.get('/readyz?verbose')).text()).toContain('[-]not_fenced')
  await run.acknowledged(20)
  await run.verify()
  expect(await frozen.stop()).toBe(0)
  expect(run.reader.refusals).toEqual([])
})

async function open(name: string, options: FaultRunOptions = {}): Promise<Random> {
  const random = Random.of(name)
  run = await FaultRun.open(broker, random, options)
  return random
}

async function openSmall(name: string): Promise<void> {
  await open(name, { partitions: 1, workload: { keys: 3 } })
}

function hasPassed(ms: number): () => boolean {
  const from = performance.now()
  return () => performance.now() - from > ms
}
