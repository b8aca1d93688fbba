import { afterEach, expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { confirmedLeaderEpoch, endOfLeaderEpoch } from '../../lib/kafka/leader-epochs.ts'
import { FakeClient } from '../support/kafka/fakes/fake-client.ts'
import { bodyOf, endOfEpochResponse, int16, int32 } from '../support/kafka/fakes/responses.ts'
import { createTopic, kafkaClient, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'
import { until } from '../support/until.ts'

const open: KafkaClient[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

async function topicWith(records: number): Promise<{ topic: string; client: KafkaClient }> {
  const kafka = await sharedKafka()
  const topic = await createTopic(kafka, uniqueName('epochs'))
  const producer = kafkaClient(kafka).producer()
  await producer.connect()
  await producer.send({ topic, messages: Array.from({ length: records }, (_, key) => ({ key: `${key}`, value: 'v' })) })
  await producer.disconnect()
  const client = await realClient()
  open.push(client)
  return { topic, client }
}

test('a broker reports where the leader epoch of a partition ends, and confirms the present one', async () => {
  const { topic, client } = await topicWith(5)
  const epoch = (await confirmedLeaderEpoch(client, topic, 0))!
  expect(epoch).toBe(client.topics.leaderEpoch(topic, 0))
  expect(await endOfLeaderEpoch(client, topic, 0, epoch)).toEqual({ epoch, endOffset: 5 })
  expect(await endOfLeaderEpoch(client, topic, 0, epoch + 1)).toBeUndefined()
})

test('metadata reports a topic’s id, which is another one once the topic is deleted and created again', async () => {
  const { topic, client } = await topicWith(1)
  const id = (await client.metadata([topic]))[0]!.id!
  expect(Buffer.from(id, 'base64url')).toHaveLength(16)
  const heard: string[][] = []
  client.topics.watch(topic, { recreated: (now, former) => heard.push([now, former]) })
  const admin = kafkaClient(await sharedKafka()).admin()
  await admin.connect()
  await admin.deleteTopics({ topics: [topic] })
  await admin.disconnect()
  await client.retryForever(async () => void (await createTopic(await sharedKafka(), topic)))
  await until('the watch has heard of it', async () => {
    await client.metadata([topic])
    return heard.length > 0
  })
  expect(heard).toEqual([[client.topics.id(topic)!, id]])
  expect(client.topics.id(topic)).not.toBe(id)
})

test('endOfLeaderEpoch states the epoch that is known, and forgets a leader that is in another', async () => {
  const fake = new FakeClient({ 3: 1 })
  fake.leaderEpochs.set(3, 9)
  const coming = endOfLeaderEpoch(fake.client, 'orders', 3, 7)
  const { request, answer } = await fake.next()
  expect(request).toMatchObject({ apiKey: 23, apiVersion: 3 })
  const topic = Buffer.concat([int16(6), Buffer.from('orders')])
  expect(bodyOf(request)).toEqual(Buffer.concat([int32(-1, 1), topic, int32(1, 3, 9, 7)]))
  answer(endOfEpochResponse('orders', { partition: 3, epoch: 5, endOffset: 1234 }))
  expect(await coming).toEqual({ epoch: 5, endOffset: 1234 })
  const fenced = endOfLeaderEpoch(fake.client, 'orders', 3, 7)
  ;(await fake.next()).answer(endOfEpochResponse('orders', { partition: 3, errorCode: 74 }))
  expect(await fenced.catch((error: unknown) => error)).toMatchObject({ code: 'broker_error', retriable: true })
  expect(fake.client.leader('orders', 3)).toBeUndefined()
})

test('confirmedLeaderEpoch knows none when the epoch is not known, or the log has not got to it', async () => {
  const fake = new FakeClient({ 0: 1 })
  expect(await confirmedLeaderEpoch(fake.client, 'orders', 0)).toBeUndefined()
  fake.leaderEpochs.set(0, 4)
  const coming = confirmedLeaderEpoch(fake.client, 'orders', 0)
  ;(await fake.next()).answer(endOfEpochResponse('orders', { partition: 0, epoch: 3, endOffset: 10 }))
  expect(await coming).toBeUndefined()
})

test('confirmedLeaderEpoch confirms none for a log that ends below what had been reached', async () => {
  const fake = new FakeClient({ 0: 1 })
  fake.leaderEpochs.set(0, 4)
  for (const [reached, confirmed] of [
    [10, 4],
    [11, undefined],
  ] as const) {
    const coming = confirmedLeaderEpoch(fake.client, 'orders', 0, reached)
    ;(await fake.next()).answer(endOfEpochResponse('orders', { partition: 0, epoch: 4, endOffset: 10 }))
    expect(await coming).toBe(confirmed)
  }
})

test('the epochs of 500 partitions are asked for with one request a broker, and each gets its answer', async () => {
  const partitions = Array.from({ length: 500 }, (_, partition) => partition)
  const fake = new FakeClient(Object.fromEntries(partitions.map((partition) => [partition, 1 + (partition % 2)])))
  const coming = Promise.all(partitions.map((partition) => endOfLeaderEpoch(fake.client, 'orders', partition, 7)))
  // The same partition with another epoch.
  const other = endOfLeaderEpoch(fake.client, 'orders', 4, 6)
  const [one, two] = [await fake.next(), await fake.next()]
  for (const { node, answer } of [one, two]) {
    const ends = partitions
      .filter((partition) => 1 + (partition % 2) === node)
      .map((partition) => ({ partition, epoch: 7, endOffset: 1000 + partition }))
    const further = node === 1 ? [{ partition: 4, epoch: 6, endOffset: 50 }] : []
    answer(endOfEpochResponse('orders', ...ends, ...further))
  }
  expect(await coming).toEqual(partitions.map((partition) => ({ epoch: 7, endOffset: 1000 + partition })))
  expect(await other).toEqual({ epoch: 6, endOffset: 50 })
  expect([fake.unseen, fake.lookups]).toEqual([0, 1])
})

test('a partition that the response about epochs lacks fails by itself, and may be asked for again', async () => {
  const fake = new FakeClient({ 0: 1, 1: 1 })
  const coming = Promise.allSettled([0, 1].map((partition) => endOfLeaderEpoch(fake.client, 'orders', partition, 7)))
  ;(await fake.next()).answer(endOfEpochResponse('orders', { partition: 1, epoch: 7, endOffset: 3 }))
  expect(await coming).toMatchObject([
    { status: 'rejected', reason: { code: 'broker_error', retriable: true } },
    { status: 'fulfilled', value: { endOffset: 3 } },
  ])
})
