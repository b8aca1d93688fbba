/** What callbacks make of former values is exact: nothing is counted twice and nothing is left out, however often the store is killed. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { Recorder } from '../support/fault-run/recorder.ts'
import { Workload } from '../support/fault-run/workload.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'
import { counted, counting } from '../support/store/counted.ts'
import { Fixture } from '../support/store/fixture.ts'

const kills = 12
const answerDelayMsMax = 40
const testTimeoutMs = 150_000
/** So that the changelog is compacted all the time, and tombstones go too. */
const compacted = {
  'segment.ms': '300',
  'min.cleanable.dirty.ratio': '0',
  'max.compaction.lag.ms': '1',
  'delete.retention.ms': '100',
}

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterAll(() => broker.close())

/** A topic that is written to, a store of it to be killed, and a broker whose answers take their time. */
async function underFire(name: string, changelog: Record<string, string>) {
  const random = Random.of(name)
  const fixture = await Fixture.create({ broker, partitions: 3, changelog })
  const recorder = new Recorder([broker.proxy!], fixture.changelog, fixture.source)
  // Something is under way whenever a kill comes.
  recorder.faults.produceAnswer = () => Bun.sleep(random.below(answerDelayMsMax))
  const workload = new Workload(broker.direct, fixture.source, random, { keys: 40, recordsPerSend: 30 })
  const settings = {
    ...localPort,
    SOURCE_TOPIC: fixture.source,
    KAFKA_BROKERS: broker.bootstrap,
    AUTO_FLUSH_COUNT: '200',
    AUTO_FLUSH_SECONDS: '0.1',
    STORE_MODULE: fileURLToPath(counting.module),
  }
  return {
    workload,
    /** Starts the executable and kills it when some batches, or more, have been acknowledged. */
    async startAndKill(batches: number, args: readonly string[] = []): Promise<void> {
      const victim = await LatchkeyProcess.start({ settings, args })
      const acknowledged = recorder.acknowledgements.length + random.below(batches)
      await victim.until('it writes', () => recorder.acknowledgements.length > acknowledged)
      await Bun.sleep(random.below(100))
      await victim.kill()
      await victim.close()
    },
    /** Holds what a store serves at the end against what the module makes of the source. */
    async verify(): Promise<void> {
      recorder.close()
      const store = fixture.open(counting)
      await fixture.quiet(store)
      const expected = counted((await fixture.readSource()).records)
      const updates = [...expected.values()].map((value) => (JSON.parse(value) as { updates: number }).updates)
      expect(Math.max(...updates)).toBeGreaterThan(5)
      const wrong: string[] = []
      for (const key of workload.keys) {
        const value = await fixture.value(store, key)
        if (value !== expected.get(key)) wrong.push(`${key}: ${value}, expected ${expected.get(key)}`)
      }
      expect(wrong).toEqual([])
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await workload.close()
      recorder.close()
      await fixture[Symbol.asyncDispose]()
    },
  }
}

test.each([
  ['keeps every record', {}],
  ['is compacted all the time', compacted],
])(
  'counts of updates are exact when the store is killed 12 times and its changelog %s',
  async (name, changelog) => {
    await using scene = await underFire(name, changelog)
    scene.workload.start()
    for (let kill = 0; kill < kills; kill++) await scene.startAndKill(12)
    await scene.workload.stop()
    await scene.verify()
  },
  testTimeoutMs,
)

test.each([
  ['keeps every record', {}],
  ['is compacted all the time', compacted],
])(
  'counts of updates are exact when a rebuild is killed 6 times, asked for or not, and the changelog %s',
  async (name, changelog) => {
    await using scene = await underFire(`rebuild: ${name}`, changelog)
    scene.workload.start()
    await scene.startAndKill(30)
    // A start without the flag finishes what another one began.
    for (let kill = 0; kill < 6; kill++) await scene.startAndKill(6, kill % 2 === 0 ? ['--rebuild'] : [])
    await scene.workload.stop()
    await scene.verify()
  },
  testTimeoutMs,
)
