/**
 * An upgrade and a rollback: the executable of an earlier commit and today's take turns on one changelog and snapshot
 * directory. After each turn the store holds what the source says.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { builtExecutable } from '../support/binary/built.ts'
import { buildEarlier } from '../support/binary/earlier.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { FoldingClient } from '../support/http/folding-client.ts'
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import { Random } from '../support/random.ts'

const keys = 2_000
const partitions = 3
const turns = 5

let folder: string
let broker: KafkaBroker
let earlier: string
let today: string

beforeAll(async () => {
  folder = temporaryFolder('upgrade')
  ;[broker, earlier, today] = await Promise.all([sharedKafka(), buildEarlier(folder), builtExecutable()])
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true }))

/** The source topic, and what it says that each key has. */
class Source {
  readonly content = new Map<string, string>()
  readonly topic: string
  readonly #random = Random.of('upgrade')
  #turn = 0

  private constructor(topic: string) {
    this.topic = topic
  }

  static async create(): Promise<Source> {
    return new Source(await createTopic(broker, uniqueName('upgrade'), { partitions }))
  }

  /** Puts and deletes some of the keys. */
  async write(count: number): Promise<void> {
    const turn = ++this.#turn
    const messages = Array.from({ length: count }, () => {
      const key = `key ${Math.floor(this.#random.next() * keys)}`
      const value =
        this.#random.next() < 0.2 ? null : JSON.stringify({ key, turn, text: 'x'.repeat(this.#random.next() * 200) })
      if (value === null) this.content.delete(key)
      else this.content.set(key, value)
      return { key, value }
    })
    const producer = kafkaClient(broker).producer({ maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    await producer.send({ topic: this.topic, messages })
    await producer.disconnect()
  }
}

async function contentOf(url: string): Promise<Map<string, string>> {
  const answer = await fetch(`${url}?prefix=`, { headers: { accept: 'application/x-ndjson' } })
  const lines = (await answer.text()).trimEnd().split('\n')
  const entries = lines.map((line) => JSON.parse(line) as { key: string; value: unknown; end?: boolean })
  expect(entries.pop()).toMatchObject({ end: true })
  return new Map(entries.map(({ key, value }) => [key, JSON.stringify(value)]))
}

/** As text, to compare. */
function sorted(content: ReadonlyMap<string, string>): string {
  return JSON.stringify([...content].toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

function snapshotsOf(latchkey: LatchkeyProcess): Promise<number> {
  return latchkey.metric('latchkey_snapshots_total')
}

test('two executables agree with the source when they take turns, in both orders', async () => {
  const orders = await Promise.allSettled([takeTurns([earlier, today]), takeTurns([today, earlier])])
  const failures = orders.flatMap((order) => (order.status === 'rejected' ? [order.reason as Error] : []))
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'))
})

async function takeTurns(executables: readonly string[]): Promise<void> {
  const source = await Source.create()
  await source.write(5_000)
  const snapshots = join(folder, source.topic)
  mkdirSync(snapshots)
  const follower = new FoldingClient('', 'sse')
  const settings = {
    ...localPort,
    SOURCE_TOPIC: source.topic,
    KAFKA_BROKERS: broker.bootstrap,
    SNAPSHOT_DIR: snapshots,
    SNAPSHOT_SECONDS: '1',
    STORE_THREADS: '1',
    KEEP_HEADERS: 'trace',
  }
  for (let turn = 0; turn < turns; turn++) {
    const path = executables[turn % executables.length]!
    const latchkey = await LatchkeyProcess.start({ settings, path })
    try {
      await latchkey.until('it is ready', () => latchkey.isReady())
      const url = `${await latchkey.listening()}/stores/${source.topic}`
      expect(await contentOf(url)).toEqual(source.content)
      if (turn > 0) {
        // It continues where the other one was: it neither rebuilds nor reads the whole changelog.
        expect(latchkey.stderr).not.toMatch(/rebuil|damaged|newer/i)
        expect(await latchkey.metric('latchkey_records_recovered_total')).toBeLessThan(5_000)
      }
      follower.start(`${await latchkey.listening()}/changes/${source.topic}?from=start`)
      const taken = await snapshotsOf(latchkey)
      await source.write(1_500)
      const holdsAll = async () => sorted(await contentOf(url)) === sorted(source.content)
      await latchkey.until('it has read what came meanwhile', holdsAll)
      await latchkey.until('a follower of both has the same', () => {
        return sorted(follower.content) === sorted(source.content)
      })
      await latchkey.until('it has written a snapshot', async () => (await snapshotsOf(latchkey)) > taken)
      await follower.kill()
      // An ordered stop commits what it has done, kill -9 does not.
      if (turn % 2 === 0) expect(await latchkey.stop()).toBe(0)
      else await latchkey.kill()
      await source.write(500)
      // Ids of the one are ids of the other: no stream had to begin again.
      expect(follower.resets).toBe(1)
    } finally {
      await latchkey.close()
    }
  }
}
