/** A damaged response fails alone, with an error that a retry mends: never with an error other than a LatchkeyError. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { endOfLeaderEpoch } from '../../lib/kafka/leader-epochs.ts'
import { commitOffsets, fetchCommitted, listOffsets } from '../../lib/kafka/offsets.ts'
import { describeTopic } from '../../lib/kafka/topics.ts'
import { plainProducerId } from '../../lib/kafka/transactional-id.ts'
import { fetchAt } from '../../lib/store-thread/recovery/fetch-at.ts'
import { createTopic, type KafkaBroker, kafkaClient, startKafka, uniqueName } from '../support/kafka/index.ts'
import { toAddress } from '../support/kafka/real-client.ts'

const rounds = 60
const correlationIdBytes = 4
let broker: KafkaBroker
let topic: string

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
  topic = await createTopic(broker, uniqueName('damaged'))
  const producer = kafkaClient({ bootstrap: broker.direct }).producer()
  await producer.connect()
  await producer.send({ topic, messages: [{ key: 'a', value: '1' }] })
  await producer.disconnect()
})
afterAll(() => broker.close())

function newClient(): KafkaClient {
  return new KafkaClient({
    subject: 'test',
    brokers: [toAddress(broker.bootstrap)],
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 1_000,
  })
}

/** Numbers below 1, the same in each run. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

/** Flips one bit in each response to a request of this kind, after the correlation id. */
function damage(apiKey: number, random: () => number): void {
  broker.proxy!.onResponse = ({ request, frame }) => {
    if (request?.apiKey !== apiKey) return undefined
    const damaged = Buffer.from(frame)
    const at = correlationIdBytes + Math.floor(random() * (frame.length - correlationIdBytes))
    damaged[at] = damaged[at]! ^ (1 << Math.floor(random() * 8))
    return damaged
  }
}

const group = 'damaged'
const commit = new Map([[0, { offset: 5, metadata: 'latchkey/1 changelog-start=0 changelog-end=5' }]])

const operations: [name: string, apiKey: number, ask: (client: KafkaClient) => Promise<unknown>][] = [
  ['Metadata', 3, (client) => client.metadata([topic])],
  ['FindCoordinator', 10, (client) => client.coordinator('group', uniqueName('group'))],
  ['ListOffsets', 2, (client) => listOffsets(client, topic, [0], 'latest')],
  ['OffsetCommit', 8, (client) => commitOffsets(client, group, topic, commit)],
  ['OffsetFetch', 9, (client) => fetchCommitted(client, group, topic, [0])],
  ['DescribeConfigs', 32, (client) => describeTopic(client, topic)],
  ['InitProducerId', 22, (client) => plainProducerId(client)],
  ['OffsetForLeaderEpoch', 23, (client) => endOfLeaderEpoch(client, topic, 0, 0)],
  ['Fetch', 1, (client) => fetchAt(client, topic, 0, 0)],
]

test.each(operations)('a damaged response to %s is a LatchkeyError, or no error', async (name, apiKey, ask) => {
  const random = randomFrom(apiKey * 1_000 + 7)
  broker.proxy!.onResponse = undefined
  // What it has learned from a damaged response may lead it astray: where nodes are, and which of them coordinates.
  const learns = apiKey === 3 || apiKey === 10
  const client = newClient()
  const whole = await client.retryForever(() => ask(client))
  if (apiKey === 9) await client.retryForever(() => commitOffsets(client, group, topic, commit))
  const strange: unknown[] = []
  for (let round = 0; round < rounds; round++) {
    const request = learns ? newClient() : client
    damage(apiKey, random)
    const outcome = await ask(request).catch((error: unknown) => error)
    broker.proxy!.onResponse = undefined
    if (outcome instanceof Error && !(outcome instanceof LatchkeyError)) strange.push(`${name}: ${outcome.stack}`)
    if (outcome instanceof Map) {
      for (const value of outcome.values()) {
        const offset = typeof value === 'object' ? value.offset : value
        if (typeof offset === 'number' && !Number.isSafeInteger(offset)) strange.push(`${name}: offset ${offset}`)
      }
    }
    if (learns) request.close()
  }
  expect(strange).toEqual([])
  const again = await client.retryForever(() => ask(client))
  if (apiKey === 2) expect(again).toEqual(whole)
  client.close()
})
