import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { commitOffsets, fetchCommitted, listOffsets } from '../../lib/kafka/offsets.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'

let client: KafkaClient
beforeAll(async () => {
  client = await realClient()
})
afterAll(() => client.close())

test('listOffsets reports start, last stable offset and high watermark when a transaction is open', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('offsets'), { partitions: 2 })
  const kafka = kafkaClient(broker)
  const producer = kafka.producer({ transactionalId: uniqueName('open'), maxInFlightRequests: 1, idempotent: true })
  await producer.connect()
  await producer.send({ topic, messages: [1, 2, 3].map((n) => ({ partition: 0, value: `${n}` })) })
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: [{ partition: 0, value: 'open' }] })
  const admin = kafka.admin()
  await admin.connect()
  await admin.fetchTopicOffsets(topic) // else kafkajs does not know the topic's leaders
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
  await admin.disconnect()
  const list = (...args: ['earliest' | 'latest', ('read_committed' | 'read_uncommitted')?]) =>
    client.retryForever(() => listOffsets(client, topic, [0, 1], ...args))
  const starts = await list('earliest')
  const stable = await list('latest')
  const ends = await list('latest', 'read_uncommitted')
  await transaction.abort()
  await producer.disconnect()
  expect([starts, stable, ends].map((offsets) => [offsets.get(0), offsets.get(1)])).toEqual([
    [2, 0],
    [3, 0],
    [4, 0],
  ])
})

test('listOffsets fails with a retriable error when a partition does not exist', async () => {
  const topic = await createTopic(await sharedKafka(), uniqueName('offsets'))
  const error = await listOffsets(client, topic, [0, 5], 'latest').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'broker_error', retriable: true })
})

test('fetchCommitted returns what commitOffsets committed, with its metadata, and nothing for other partitions', async () => {
  const topic = await createTopic(await sharedKafka(), uniqueName('commits'), { partitions: 3 })
  const group = uniqueName('group')
  const committed = () => client.retryForever(() => fetchCommitted(client, group, topic, [0, 1, 2]))
  expect(await committed()).toEqual(new Map())
  const offsets = new Map([
    [0, { offset: 12, metadata: 'a note' }],
    [2, { offset: 0, metadata: '' }],
  ])
  await client.retryForever(() => commitOffsets(client, group, topic, offsets))
  expect(await committed()).toEqual(offsets)
  await client.retryForever(() => commitOffsets(client, group, topic, new Map([[0, { offset: 3, metadata: '' }]])))
  expect((await committed()).get(0)).toEqual({ offset: 3, metadata: '' })
})

test('commitOffsets says what to do when the group has members', async () => {
  const broker = await sharedKafka()
  const topic = await createTopic(broker, uniqueName('commits'))
  const group = uniqueName('group')
  const consumer = kafkaClient(broker).consumer({ groupId: group, maxWaitTimeInMs: 100 })
  const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve))
  await consumer.connect()
  await consumer.subscribe({ topic })
  await consumer.run({ eachBatch: async () => {} })
  await joined
  const attempt = client.retryForever(() =>
    commitOffsets(client, group, topic, new Map([[0, { offset: 3, metadata: '' }]])),
  )
  const error = await attempt.catch((thrown: unknown) => thrown)
  await consumer.disconnect()
  expect(error).toMatchObject({ code: 'broker_refused' })
  expect(String(error)).toContain('choose another STORE_ID')
})
