import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test'
import type { Producer } from 'kafkajs'
import { until } from '../../until.ts'
import { createTopic, type KafkaBroker, kafkaClient, startKafka, type TcpProxy, uniqueName } from '../index.ts'

const produceApi = 0
let broker: KafkaBroker
let proxy: TcpProxy
let topic: string
const producers: Producer[] = []

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
  proxy = broker.proxy!
})

beforeEach(async () => {
  topic = await createTopic(broker, uniqueName('proxied'))
})

afterEach(async () => {
  proxy.onRequest = undefined
  proxy.onResponse = undefined
  proxy.release()
  proxy.delay('requests', 0)
  await proxy.accept()
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()))
})

afterAll(() => broker.close())

test('a request reaches the broker through the proxy only when the broker was started with one', async () => {
  let produces = 0
  proxy.onRequest = ({ apiKey }) => {
    if (apiKey === produceApi) produces++
  }
  await send(await connected(), 'a')
  expect(produces).toBe(1)
  expect(await endOffset()).toBe(1)
})

test('other connections continue when one Produce is held back, and it lands when it is released', async () => {
  const early = await connected()
  const late = await connected()
  const held = holdFirstProduce()
  const first = send(early, 'OLD')
  await held.seen
  await send(late, 'NEW')
  expect(await endOffset()).toBe(1)
  held.release()
  await first
  expect(await endOffset()).toBe(2)
})

test('a Produce that is held back lands when it is released after its connection was cut', async () => {
  const producer = await connected()
  const held = holdFirstProduce()
  const landed = Promise.withResolvers<void>()
  const sent = send(producer, 'OLD').catch(() => 'cut')
  await held.seen
  proxy.cut()
  await sent // kafkajs fails or repeats it: either way without the one that is held
  const before = await endOffset()
  proxy.onResponse = ({ request }) => {
    if (request?.apiKey === produceApi) landed.resolve()
  }
  held.release()
  await landed.promise
  expect(await endOffset()).toBe(before + 1)
})

test('a record is written although its sender is disconnected when the verdict on the answer is cut', async () => {
  const producer = await connected({ retries: 0 })
  let cuts = 0
  proxy.onResponse = ({ request }) => {
    if (request?.apiKey !== produceApi) return
    cuts++
    return 'cut'
  }
  const sent = expect(send(producer, 'a')).rejects.toThrow()
  await sent
  expect(cuts).toBe(1)
  expect(await endOffset()).toBe(1)
})

test('a request never arrives when the verdict is drop', async () => {
  const producer = await connected()
  const dropped = Promise.withResolvers<void>()
  proxy.onRequest = ({ apiKey }) => {
    if (apiKey !== produceApi) return
    dropped.resolve()
    return 'drop'
  }
  const sent = send(producer, 'a').catch(() => 'cut')
  await dropped.promise
  expect(await endOffset()).toBe(0)
  proxy.onRequest = undefined
  proxy.cut()
  await sent
})

test('answers wait when responses are held and arrive when they are released', async () => {
  const producer = await connected()
  await send(producer, 'a') // after this it asks for no metadata
  proxy.hold('responses')
  let answered = false
  const sent = send(producer, 'b').then(() => (answered = true))
  await until('both are there', async () => (await endOffset()) === 2)
  expect(answered).toBe(false)
  proxy.release('responses')
  expect(await sent).toBe(true)
})

test('a request takes at least as long as the delay says', async () => {
  const producer = await connected()
  const delayMs = 100
  proxy.delay('requests', delayMs)
  const before = performance.now()
  await send(producer, 'a')
  expect(performance.now() - before).toBeGreaterThanOrEqual(delayMs - 1)
})

test('new connections fail when the proxy refuses them and succeed when it accepts again', async () => {
  await proxy.refuse()
  await expect(connected({ retries: 0 })).rejects.toThrow()
  await proxy.accept()
  await send(await connected(), 'a')
})

/** The first Produce waits until `release`; later ones pass. `seen` resolves when it has arrived at the proxy. */
function holdFirstProduce(): { seen: Promise<void>; release: () => void } {
  const seen = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  let produces = 0
  proxy.onRequest = ({ apiKey }) => {
    if (apiKey !== produceApi || ++produces > 1) return
    seen.resolve()
    return released.promise
  }
  return { seen: seen.promise, release: released.resolve }
}

async function connected(retry: { retries?: number } = {}): Promise<Producer> {
  const producer = kafkaClient(broker, { retry: { initialRetryTime: 20, ...retry } }).producer()
  producers.push(producer)
  await producer.connect()
  return producer
}

function send(producer: Producer, value: string): Promise<unknown> {
  return producer.send({ topic, messages: [{ key: 'key', value }] })
}

async function endOffset(): Promise<number> {
  const admin = kafkaClient({ bootstrap: broker.direct }).admin()
  await admin.connect()
  try {
    const [partition] = await admin.fetchTopicOffsets(topic)
    return Number(partition?.high)
  } finally {
    await admin.disconnect()
  }
}
