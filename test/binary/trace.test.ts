/** LOG_LEVEL=trace of the executable: the lines of a record's way and of connections, from every thread. */
import { expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'

interface Line {
  level: string
  message: string
}

/** The kernel distributes connections by chance: with this many, one of two threads gets none in two of a million runs. */
const connections = 20

async function linesOfRun(level: string): Promise<{ topic: string; lines: Line[] }> {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('trace'), { partitions: 1 })
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'secret-key', value: '"secret-value"' }] })
  await producer.disconnect()
  const settings = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, LOG_LEVEL: level }
  const more = { HTTP_THREADS: '2', SERVER_TOKEN: 'secret-token-of-this-test' }
  const latchkey = await LatchkeyProcess.start({ settings: { ...settings, ...more } })
  try {
    await latchkey.until('it is ready', () => latchkey.isReady())
    const headers = { authorization: 'Bearer secret-token-of-this-test', connection: 'close' }
    const ask = (target: string, method: string) => fetch(`${latchkey.url}${target}`, { method, headers })
    const flushes = Array.from({ length: connections }, () => ask(`/flush-store/${topic}`, 'POST'))
    for (const { status } of await Promise.all(flushes)) expect(status).toBe(200)
    const lookups = Array.from({ length: connections }, () => ask(`/stores/${topic}/secret-key?x=secret-query`, 'GET'))
    for (const { status } of await Promise.all(lookups)) expect(status).toBe(200)
    expect(await latchkey.stop()).toBe(0)
    const lines = [...latchkey.stderr.matchAll(/^\S+ (\w+) +\S+ +(.*)$/gm)]
    return { topic, lines: lines.map(([, name = '', message = '']) => ({ level: name, message })) }
  } finally {
    await latchkey.close()
  }
}

test('at trace a record and connections have lines from begin to end, without key, value, token or query', async () => {
  const { topic, lines } = await linesOfRun('trace')
  const messages = lines.map(({ message }) => message)
  /** In this order. */
  const way = [
    /^Store \S+: thread \d+ started$/,
    /^Connected to \S+ \(plaintext, source consumer\) in /,
    /^Store \S+: a thread holds primaries \[0\] and replicas \[\] of a topic with 1 in all$/,
    /^Store \S+: state starting changed to recovering$/,
    new RegExp(`^Fetched [1-9]\\d* bytes of ${topic} partition \\[0\\] from `),
    new RegExp(`^Produced 1 batch, \\d+ bytes, to ${topic}-changelog partition \\[0\\] at `),
    /^Partition 0: changelog acknowledged a batch, 1 record applied /,
    /^Published 1 operation in /,
    /^Request GET from 127\.0\.0\.1:\d+: status 200, 14 bytes in /,
    /^Group \S+ committed offset 1 of \S+ partition 0$/,
    /^Store \S+: thread \d+ ended after /,
  ]
  const found = way.map((pattern) => messages.findIndex((message) => pattern.test(message)))
  expect(way.filter((_, index) => found[index] === -1)).toEqual([])
  const requests = (method: string) => messages.filter((message) => message.startsWith(`Request ${method} from `))
  const gets = requests('GET').filter((message) => message.includes(`status 200, 14 bytes `))
  // Both threads answer, so lines of one alone would be fewer.
  expect(gets).toHaveLength(connections)
  expect(requests('POST').filter((message) => message.includes(`store ${topic})`))).toHaveLength(connections)
  expect(messages.filter((message) => message.startsWith('Flushed store '))).toHaveLength(connections)
  for (const line of gets) {
    const [client] = /127\.0\.0\.1:\d+/.exec(line)!
    const own = messages.filter((message) => message.startsWith(`Connection from ${client} `))
    expect(own).toEqual([expect.stringContaining(' opened'), expect.stringContaining('its last response was sent')])
  }
  for (const secret of ['secret-key', 'secret-value', 'secret-token', 'secret-query']) {
    expect(JSON.stringify(lines)).not.toContain(secret)
  }
})

test('at info nothing of that is logged', async () => {
  const { lines } = await linesOfRun('info')
  expect(lines.filter(({ level }) => level === 'debug' || level === 'trace')).toEqual([])
  expect(lines.length).toBeGreaterThan(0)
})
