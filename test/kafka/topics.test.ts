import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { KafkaClient } from '../../lib/kafka/client.ts'
import { createTopic, describeTopic } from '../../lib/kafka/topics.ts'
import { uniqueName } from '../support/kafka/index.ts'
import { realClient } from '../support/kafka/real-client.ts'

let client: KafkaClient
beforeAll(async () => {
  client = await realClient()
})
afterAll(() => client.close())

test('createTopic creates a topic with its settings, and accepts an existing one', async () => {
  const config = { 'cleanup.policy': 'compact', 'max.message.bytes': '2000000' }
  const topic = { topic: uniqueName('created'), partitions: 2, replicationFactor: 1, config }
  await client.retryForever(() => createTopic(client, topic))
  await client.retryForever(() => createTopic(client, topic))
  const described = await client.retryForever(() => describeTopic(client, topic.topic))
  expect(described?.get('cleanup.policy')).toBe('compact')
  expect(described?.get('max.message.bytes')).toBe('2000000')
  expect(described?.get('message.timestamp.type')).toBe('CreateTime') // a default
})

test('createTopic reports what the broker found wrong when it refuses', async () => {
  const config = { 'cleanup.policy': 'sometimes' }
  const topic = { topic: uniqueName('refused'), partitions: 1, replicationFactor: 1, config }
  const error = await createTopic(client, topic).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'broker_refused' })
  expect(String(error)).toContain(`Creating topic ${topic.topic} with 1 partition: the broker answered `)
  expect(String(error)).toContain('sometimes')
})

test('describeTopic fails with a retriable error when the topic does not exist', async () => {
  const error = await describeTopic(client, 'no-such-topic').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'broker_error', retriable: true })
})
