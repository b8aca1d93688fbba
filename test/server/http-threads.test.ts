/** The executable with several HTTP threads: each gives the same answer. */
import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { modes } from '../support/http/transports.ts'
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'

const threads = 3
/** The kernel shares connections out by chance: with so many, a thread that is never asked is one in a million. */
const connections = 40

async function send(broker: KafkaBroker, topic: string, round: string): Promise<void> {
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  const messages = Array.from({ length: 50 }, (_, index) => ({ key: `user-${index}`, value: `"${round}-${index}"` }))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

function fresh(latchkey: LatchkeyProcess, target: string, init: RequestInit = {}): Promise<Response> {
  return fetch(latchkey.url + target, { ...init, headers: { connection: 'close' } })
}

/** The same request over as many connections, so that each thread gets some. */
function ask(latchkey: LatchkeyProcess, target: string, init?: RequestInit): Promise<Response[]> {
  return Promise.all(Array.from({ length: connections }, () => fresh(latchkey, target, init)))
}

async function start(
  further: Readonly<Record<string, string>> = {},
): Promise<{ broker: KafkaBroker; topic: string; latchkey: LatchkeyProcess }> {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('threads'), { partitions: 3 })
  await send(broker, topic, 'first')
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap }
  const more = { HTTP_THREADS: String(threads), STORE_THREADS: '2', AUTO_FLUSH_SECONDS: '1000' }
  const latchkey = await LatchkeyProcess.start({ settings: { ...settings, ...more, ...further } })
  await latchkey.until('it is ready', () => latchkey.isReady())
  return { broker, topic, latchkey }
}

test.each(modes)(
  'every thread finds what a flush has made visible, and updates the same metrics, %s',
  async (_, hasFastPath) => {
    const { broker, topic, latchkey } = await start({ HTTP_FAST_PATH: String(hasFastPath) })
    try {
      await fresh(latchkey, `/flush-store/${topic}`, { method: 'POST' })
      for (const response of await ask(latchkey, `/stores/${topic}/user-7`)) {
        expect([response.status, await response.json()]).toEqual([200, 'first-7'])
      }
      for (const response of await ask(latchkey, `/stores/${topic}/absent`)) expect(response.status).toBe(404)
      for (const response of await ask(latchkey, '/readyz')) expect(response.status).toBe(200)
      for (const response of await ask(latchkey, `/status-store/${topic}`)) {
        expect(await response.json()).toMatchObject({ state: 'running', partitions: { primary: [0, 1, 2] } })
      }
      for (const response of await ask(latchkey, '/metrics')) {
        expect(await response.text()).toContain(`latchkey_lookups_total{outcome="found"} ${connections}`)
      }
      await send(broker, topic, 'second')
      await latchkey.until('it has consumed them', async () => {
        const metrics = await (await fresh(latchkey, '/metrics')).text()
        // More, where the producer has repeated a request.
        return Number(/^latchkey_records_consumed_total (\d+)/m.exec(metrics)?.[1]) >= 100
      })
      const flushes = await ask(latchkey, `/flush-store/${topic}`, { method: 'POST' })
      expect(flushes.map(({ status }) => status)).toEqual(flushes.map(() => 200))
      for (const response of await ask(latchkey, `/stores/${topic}/user-49`)) {
        expect(await response.json()).toBe('second-49')
      }
      expect(await latchkey.stop()).toBe(0)
    } finally {
      await latchkey.close()
    }
  },
)

test('a port of another process is refused, with several threads, too', async () => {
  const { topic, latchkey, broker } = await start()
  try {
    const port = new URL(latchkey.url!).port
    const settings = {
      SERVER_BIND: '127.0.0.1',
      SERVER_PORT: port,
      SOURCE_TOPIC: topic,
      KAFKA_BROKERS: broker.bootstrap,
    }
    const second = await LatchkeyProcess.start({ settings: { ...settings, HTTP_THREADS: '2' } })
    expect(await second.exited).toBe(1)
    expect(second.stderr).toContain(`Listening at 127.0.0.1 port ${port}: the port is in use`)
    await second.close()
  } finally {
    await latchkey.close()
  }
})
