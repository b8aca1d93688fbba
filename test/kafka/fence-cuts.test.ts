/** Each request of a fence, and each answer, is lost on the way to a real coordinator: the partition stays whose it is. */
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { fencePartition, newClaim } from '../../lib/kafka/fence.ts'
import type { ProducerIdentity } from '../../lib/kafka/transactional-id.ts'
import { markersFrom } from '../../lib/store-thread/recovery/changelog-check.ts'
import { api } from '../support/fault-run/wire.ts'
import { createTopic, type KafkaBroker, startKafka, uniqueName } from '../support/kafka/index.ts'
import { toAddress } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

const invalidProducerEpoch = 47

let broker: KafkaBroker
let client: KafkaClient
let topic: string
beforeAll(async () => {
  broker = await startKafka({ proxy: true })
  topic = await createTopic(broker, uniqueName('fence'), { partitions: 16 })
  client = new KafkaClient({
    subject: 'test',
    brokers: [toAddress(broker.bootstrap)],
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  })
})
afterEach(() => {
  broker.proxy!.onRequest = undefined
  broker.proxy!.onResponse = undefined
})
afterAll(async () => {
  client.close()
  await broker.close()
})

/** An owner of a partition. `markers` reads all that stand in it. */
function owner(partition: number) {
  const claim = newClaim()
  const markers = () => client.retryForever(() => markersFrom(client, topic, partition, 0))
  const target = { client, transactionalId: `id-${partition}`, topic, partition, markers }
  return { take: () => fencePartition(target, claim), markers }
}

async function expectLast(markers: () => Promise<ProducerIdentity[]>, identity: ProducerIdentity): Promise<void> {
  await until('the marker is there', async () => {
    const last = (await markers()).at(-1)
    return last?.producerId === identity.producerId && last.producerEpoch === identity.producerEpoch
  })
}

const steps = ['initProducerId', 'addPartitions', 'endTransaction'] as const
const cuts = ['request', 'answer', 'request and answer'] as const
const cases = steps.flatMap((step) => cuts.map((cut) => [cut, step] as const))

test.each(cases)('a partition is taken again when the %s of %s is cut off', async (cut, step) => {
  const { take, markers } = owner(cases.findIndex((one) => one[0] === cut && one[1] === step))
  const held = await take()
  await expectLast(markers, held)
  let requests = cut === 'answer' ? 0 : 1
  let answers = cut === 'request' ? 0 : 1
  broker.proxy!.onRequest = ({ apiKey }) => (apiKey === api[step] && requests-- > 0 ? 'cut' : undefined)
  broker.proxy!.onResponse = ({ request }) => (request?.apiKey === api[step] && answers-- > 0 ? 'cut' : undefined)
  const again = await take()
  expect([requests < 0 || cut === 'answer', answers < 0 || cut === 'request']).toEqual([true, true])
  expect(again.producerId).toBe(held.producerId)
  expect(again.producerEpoch).toBeGreaterThan(held.producerEpoch)
  await expectLast(markers, again)
  expect((await take()).producerEpoch).toBe(again.producerEpoch + 1)
})

test('a partition is taken again when a delayed begin arrives after its end', async () => {
  const { take, markers } = owner(15)
  await take()
  const released = Promise.withResolvers<void>()
  let held: number | undefined
  let answer: number | undefined
  broker.proxy!.onRequest = ({ apiKey, connection }) => {
    if (apiKey !== api.addPartitions || held !== undefined) return undefined
    held = connection
    setTimeout(() => broker.proxy!.cut())
    return released.promise
  }
  broker.proxy!.onResponse = ({ request, connection, frame }) => {
    if (request?.apiKey === api.addPartitions && connection === held) answer = frame.readInt16BE(frame.length - 2)
  }
  const identity = await take()
  await expectLast(markers, identity)
  released.resolve()
  await until('it is answered', () => answer !== undefined)
  expect(answer).toBe(invalidProducerEpoch)
  const again = await take()
  expect(again.producerEpoch).toBe(identity.producerEpoch + 1)
  await expectLast(markers, again)
})
