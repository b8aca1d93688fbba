/** A feed at one instance of a group has every change of all partitions, while others come, stop, stand still and die. */
import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { FoldingClient } from '../support/http/folding-client.ts'
import { Subscriber } from '../support/resp/subscriber.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const partitions = 6
const counters = 40
const testTimeoutMs = 180_000

/** Writes keys that occur once, and counters, until it is stopped. */
class SteadyWriter {
  readonly content = new Map<string, string>()
  readonly #fixture: Fixture
  #running: Promise<void> | undefined
  #isStopped = false

  constructor(fixture: Fixture) {
    this.#fixture = fixture
  }

  start(): void {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (let round = 0; !this.#isStopped; round++) {
      const messages = Array.from({ length: 20 }, (_, at) => {
        const isCounter = at < 10
        const number = isCounter ? (round * 10 + at) % counters : round * 20 + at
        const message = { key: `${isCounter ? 'counter' : 'once'} ${number}`, value: JSON.stringify({ round }) }
        this.content.set(message.key, message.value)
        return message
      })
      await this.#fixture.produce(messages)
      await Bun.sleep(10)
    }
  }
}

test(
  'a feed and a subscription have every change while instances come, stop, stand still and are killed',
  async () => {
    await using fixture = await Fixture.create({ partitions })
    const settings = {
      ...localPort,
      RESP_PORT: '0',
      ELASTIC: 'true',
      STANDBYS: '0',
      PARTITIONER: 'murmur2',
      AUTO_FLUSH_SECONDS: '0.02',
      SOURCE_TOPIC: fixture.source,
      KAFKA_BROKERS: fixture.cluster.broker.bootstrap,
    }
    const instances: LatchkeyProcess[] = []
    const start = async () => {
      const instance = await LatchkeyProcess.start({ settings })
      instances.push(instance)
      await instance.until('an instance is ready', () => instance.isReady())
      return instance
    }
    const [first, second, third] = [await start(), await start(), await start()]
    await using feed = new FoldingClient(`${first.url}/changes/${fixture.source}`, 'sse')
    using subscriber = new Subscriber(first.redisPort!, '__keyevent@0__:set')
    const writer = new SteadyWriter(fixture)
    const missing = () => [...writer.content].filter(([key, value]) => feed.content.get(key) !== value)
    try {
      await until('partitions are shared', async () => {
        const status = await first.status(fixture.source)
        return status !== undefined && status.details.filter(({ role }) => role === 'primary').length === 2
      })
      feed.start()
      await until('the feed has begun', () => feed.lastId !== '')
      writer.start()
      const fourth = await start()
      await Bun.sleep(1_000)
      await second.kill()
      await start()
      await Bun.sleep(1_000)
      third.signal('SIGSTOP')
      await Bun.sleep(3_000)
      third.signal('SIGCONT')
      await Bun.sleep(2_000)
      expect(await fourth.stop()).toBe(0)
      await Bun.sleep(2_000)
      await writer.stop()
      await until('the feed has everything', () => missing().length === 0).catch(() => expect(missing()).toEqual([]))
      expect([feed.wentBack, feed.resets, feed.isRunning]).toEqual([[], 0, true])
      const isNamed = () => writer.content.keys().every((key) => subscriber.messages.has(key))
      await until('all keys are named', isNamed, 20_000)
      expect(subscriber.isEnded).toBeFalse()
    } finally {
      await writer.stop()
      for (const instance of instances) await instance.close()
    }
  },
  testTimeoutMs,
)
