/** Formats in the executable, with the files that they name beside it: keys and values as other implementations write them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cpSync, linkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { builtExecutable } from '../support/binary/built.ts'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { protos } from '../support/format/java/java.ts'
import vectors from '../support/format/java/vectors.json' with { type: 'json' }
import { createTopic, type KafkaBroker, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

type Bytes = string | Buffer | null

let folder: string
let broker: KafkaBroker

beforeAll(async () => {
  broker = await sharedKafka()
  folder = temporaryFolder('formats')
  linkSync(await builtExecutable(), join(folder, 'latchkey'))
  cpSync(protos, join(folder, 'protos'), { recursive: true })
})

afterAll(() => rmSync(folder, { recursive: true }))

function messageVector(name: string): Buffer {
  return Buffer.from(vectors.protobuf.find((vector) => vector.name === name)!.bytes, 'hex')
}

function simpleVector(format: string, text: string): Buffer {
  return Buffer.from(vectors.simple.find((vector) => vector.format === format && vector.text === text)!.bytes, 'hex')
}

/** The executable over a topic with these records, caught up. */
async function storeOf(records: readonly (readonly [Bytes, Bytes])[], settings: Record<string, string>) {
  const topic = await createTopic(broker, uniqueName('formats'), { partitions: 2 })
  const producer = kafkaClient(broker).producer()
  await producer.connect()
  await producer.send({ topic, messages: records.map(([key, value]) => ({ key, value })) })
  await producer.disconnect()
  const environment = { ...localPort, SOURCE_TOPIC: topic, KAFKA_BROKERS: broker.bootstrap, ...settings }
  const latchkey = await LatchkeyProcess.start({ path: join(folder, 'latchkey'), settings: environment })
  await latchkey.until('it is ready', () => latchkey.isReady())
  await latchkey.get(`/flush-store/${topic}`, { method: 'POST' })
  const get = async (key: string, accept = 'application/json') => {
    const answer = await latchkey.get(`/stores/${topic}/${encodeURIComponent(key)}`, { headers: { accept } })
    return { status: answer.status, body: await answer.text() }
  }
  return { latchkey, get, [Symbol.asyncDispose]: () => latchkey.close() }
}

const protobuf = {
  KEY_FORMAT: 'protobuf',
  KEY_MESSAGE: 'orders.v1.OrderKey',
  VALUE_FORMAT: 'protobuf',
  VALUE_MESSAGE: 'orders.v1.Order',
  PROTO_FILE: 'protos/orders/v1/order.proto',
  PROTO_PATH: 'protos',
}

describe('the executable', () => {
  test('shows Protocol Buffers as JSON, addressed by their JSON form', async () => {
    const records = [
      [messageVector('a key'), messageVector('messages within messages')],
      [messageVector('a key beyond 2^53'), messageVector('well-known types')],
      ['no message', messageVector('nothing')],
    ] as const
    await using store = await storeOf(records, protobuf)
    const nested = await store.get('{"number":42,"tenant":"acme"}')
    expect(nested.status).toBe(200)
    expect(JSON.parse(nested.body)).toMatchObject({
      id: 'b',
      customer: { id: '18446744073709551615' },
      replaces: { id: 'a' },
    })
    const times = await store.get('{"tenant":"acme","number":"-9007199254740993"}')
    expect(JSON.parse(times.body)).toMatchObject({
      placedAt: '2026-01-02T03:04:05.006Z',
      extra: { a: [1.5, null, 'x', true] },
    })
    const refused = await store.get('{"tenant":7}')
    expect(refused.status).toBe(400)
    expect(JSON.parse(refused.body)).toMatchObject({
      code: 'invalid_key',
      detail: expect.stringContaining('expected string'),
    })
  })

  test('converts Protocol Buffers to JSON, which the changelog then has', async () => {
    const records = [[simpleVector('int64', '9007199254740993'), messageVector('scalars')]] as const
    const settings = { ...protobuf, KEY_FORMAT: 'int64', STORE_FORMAT: 'json' }
    const { KEY_MESSAGE: _, ...kept } = settings
    await using store = await storeOf(records, kept)
    const found = await store.get('9007199254740993', 'application/octet-stream')
    // The stored bytes: 64-bit numbers beyond 2^53 are strings, members as the message has its fields.
    expect(found.body).toStartWith(
      '{"id":"aé🔑","status":"STATUS_SHIPPED","signature":"AP8=","deltas":[-1,2,2147483647],"checksums":[1,"18446744073709551615"]',
    )
    expect(JSON.parse(found.body)).toMatchObject({
      weight: 0.1,
      isGift: true,
      otherName: 'r',
      status: 'STATUS_SHIPPED',
    })
  })

  test('reads and refuses what Kafka’s serializers write', async () => {
    const uuid = '123e4567-e89b-12d3-a456-426614174000'
    const records = [
      [simpleVector('uuid', uuid), simpleVector('int64', '9223372036854775807')],
      [uuid.replace('1', '2'), simpleVector('int64', '-2')],
      ['no uuid', simpleVector('int64', '0')],
      [uuid.replace('1', '3'), 'no number'],
    ] as const
    await using store = await storeOf(records, { KEY_FORMAT: 'uuid', VALUE_FORMAT: 'int64' })
    expect(await store.get(uuid.toUpperCase())).toEqual({ status: 200, body: '"9223372036854775807"' })
    expect(await store.get(uuid.replace('1', '2'))).toEqual({ status: 200, body: '-2' })
    expect((await store.get(uuid.replace('1', '3'))).status).toBe(404)
    expect((await store.get('no uuid')).status).toBe(400)
    expect(await store.latchkey.metric('latchkey_records_skipped_total')).toBe(2)
  })
})
