/** What was acknowledged to a program outlives its process, and a broker that is away. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openStore } from '../../lib/index.ts'
import { partitionOf } from '../../lib/map/index.ts'
import { createTopic, type KafkaBroker, startKafka, uniqueName } from '../support/kafka/index.ts'
import { Cluster } from '../support/kafka/topic-admin.ts'
import { Fixture } from '../support/store/fixture.ts'
import type { LogRecord } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const counter = join(import.meta.dir, '../support/library/counter.ts')
const testTimeoutMs = 150_000
const decode = (value: Uint8Array | undefined) => Number(new TextDecoder().decode(value))

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka()
})

afterAll(() => broker.close())

/** Lets it run until it has printed so many numbers, and kills it; the highest of each key. */
async function countAndKill(fixture: Fixture, numbers: number): Promise<Map<string, number>> {
  const { source } = fixture
  const child = Bun.spawn([process.execPath, counter, source, broker.bootstrap], { stdout: 'pipe', stderr: 'inherit' })
  let output = ''
  const decoder = new TextDecoder()
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true })
    if (output.split('\n').length > numbers) child.kill('SIGKILL')
  }
  const highest = new Map<string, number>()
  for (const line of output.split('\n').slice(0, -1)) {
    const [key = '', number] = line.split(' ')
    highest.set(key, Number(number))
  }
  return highest
}

test(
  'every acknowledged write survives kill -9, and a program that continues counting misses none',
  async () => {
    await using fixture = await Fixture.create({ broker, partitions: 3 })
    for (const numbers of [50, 500, 2_000]) {
      const acknowledged = await countAndKill(fixture, numbers)
      expect(acknowledged.size).toBe(7)
      await using store = openStore({ sourceTopic: fixture.source, kafkaBrokers: broker.bootstrap })
      await store.ready
      for (const [key, number] of acknowledged) {
        const found = decode(await store.get(key))
        // The one that was on its way may be there, too.
        expect(found - number, key).toBeOneOf([0, 1])
      }
    }
    const { records } = await fixture.readChangelog()
    for (const key of new Set(records.map((record) => record.key))) {
      const numbers = records.filter((record) => record.key === key).map(({ value }) => Number(value))
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1))
    }
  },
  testTimeoutMs,
)

/** Source records that stand after a write which says that it comes after them: what would be older replaces what is newer. */
function outOfOrder(records: readonly LogRecord[]): string[] {
  const after = new Map<number, number>()
  return records.flatMap(({ partition, offset, src, aft }) => {
    const highest = after.get(partition) ?? -1
    after.set(partition, Math.max(highest, aft))
    return src >= 0 && src <= highest
      ? [`partition ${partition} offset ${offset}: source offset ${src} after ${highest}`]
      : []
  })
}

test(
  'no source record lands after a later write when the program is killed repeatedly during ingest, and none is missing',
  async () => {
    await using fixture = await Fixture.create({ broker, partitions: 2 })
    const keys = Array.from({ length: 7 }, (_, index) => `key-${index}`)
    const over = new AbortController()
    const produceAll = async (number: number) => {
      const value = String(number * 1_000_000)
      await fixture.produce(keys.map((key) => ({ key, partition: partitionOf(Buffer.from(key), 2), value })))
    }
    const producing = (async () => {
      for (let number = 1; !over.signal.aborted; number++) {
        await produceAll(number)
        await Bun.sleep(20)
      }
    })()
    for (let round = 0; round < 6; round++) await countAndKill(fixture, 100 + 200 * round)
    over.abort()
    await producing

    await using store = openStore({ sourceTopic: fixture.source, kafkaBrokers: broker.bootstrap })
    await store.ready
    const { records } = await fixture.readChangelog()
    expect(records.filter(({ aft }) => aft >= 0).length).toBeGreaterThan(500)
    expect(outOfOrder(records)).toEqual([])
    const last = new Map(records.map(({ key, value }) => [key!, value]))
    for (const key of keys) expect(new TextDecoder().decode(await store.get(key)), key).toBe(last.get(key)!)
    const source = await fixture.readSource()
    const stored = new Set(records.map(({ partition, src }) => `${partition}.${src}`))
    expect(source.records.filter(({ partition, offset }) => !stored.has(`${partition}.${offset}`))).toEqual([])
  },
  testTimeoutMs,
)

test(
  'writes wait while the broker is down, and are acknowledged in order when it is back',
  async () => {
    const topic = uniqueName('outage')
    await createTopic(broker, topic, { partitions: 1 })
    await using store = openStore({ sourceTopic: topic, kafkaBrokers: broker.bootstrap })
    await store.ready
    await broker.kill()
    const settled: number[] = []
    const writes = [1, 2, 3].map(async (number) => {
      await store.put('a', new TextEncoder().encode(String(number)))
      settled.push(number)
    })
    await until('it is reported', () => store.status().reason !== undefined)
    expect(settled).toEqual([])
    expect(store.state).toBe('running')
    await broker.start()
    await Promise.all(writes)
    expect(settled).toEqual([1, 2, 3])
    await store.flush()
    expect(decode(await store.get('a'))).toBe(3)
    await new Cluster(broker).deleteTopic(topic)
  },
  testTimeoutMs,
)

test(
  'writes without an acknowledgement are rejected, and none stays pending, when the store is closed while the broker is down',
  async () => {
    const topic = uniqueName('outage')
    await createTopic(broker, topic, { partitions: 1 })
    const store = openStore({ sourceTopic: topic, kafkaBrokers: broker.bootstrap })
    await store.ready
    await broker.kill()
    const writing = store.put('a', new Uint8Array([1]))
    const outcome = writing.then(
      () => 'acknowledged',
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    )
    await store.close()
    expect(await outcome).toContain('stopping: Writing to store')
    expect(await outcome).toContain('may or may not contain it')
    await broker.start()
  },
  testTimeoutMs,
)
