import { expect, test } from 'bun:test'
import { KafkaClient } from '../../../lib/kafka/client.ts'
import { requireVersion, requireVersions } from '../../../lib/kafka/connection/broker-versions.ts'
import { ScriptedCluster } from '../../support/kafka/fakes/scripted-cluster.ts'

const initProducerId = 22

function clientOf(cluster: ScriptedCluster): KafkaClient {
  return new KafkaClient({
    subject: 'test',
    brokers: [cluster.address(1)],
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
  })
}

test('a client reports what it needs, and does not retry, when the broker is older than Kafka 2.5', async () => {
  await using cluster = await ScriptedCluster.start(1)
  cluster.versionsMax.set(initProducerId, 1)
  const client = clientOf(cluster)
  const failure = await client.retryForever(() => client.metadata([])).catch((error: unknown) => error)
  client.close()
  expect(failure).toMatchObject({
    code: 'broker_refused',
    message:
      `Connecting to 127.0.0.1:${cluster.broker(1).port}: the broker knows InitProducerId in versions 0 to 1, and 3 is needed; ` +
      'Latchkey needs Kafka 2.5 or later',
  })
  expect(cluster.asked).toEqual([])
})

test('a request whose version the broker does not know is not sent', async () => {
  await using cluster = await ScriptedCluster.start(1)
  const client = clientOf(cluster)
  await client.metadata([])
  const unknown = { apiKey: 77, apiVersion: 0, apiName: 'ConsumerGroupDescribe', encode: () => [] }
  const failure = await client.send(1, unknown, 10_000).catch((error: unknown) => error)
  client.close()
  expect(failure).toMatchObject({
    code: 'broker_refused',
    message: expect.stringContaining('does not know the request'),
  })
})

test('a broker without InitProducerId is accepted without fencing', () => {
  const versions = Object.fromEntries([0, 1, 3].map((apiKey) => [apiKey, { minVersion: 0, maxVersion: 20 }]))
  expect(() => requireVersions(versions, 'b:1')).not.toThrow()
  expect(() => requireVersions({ ...versions, 1: { minVersion: 0, maxVersion: 10 } }, 'b:1')).toThrow('Fetch')
})

test('a broker that has dropped a version is reported to need a later Latchkey', () => {
  const request = { apiKey: 0, apiVersion: 7, apiName: 'Produce' }
  expect(() => requireVersion({ 0: { minVersion: 9, maxVersion: 20 } }, request, 'b:1')).toThrow('a later Latchkey')
})

test('a controller, which has Vote but no Produce, is recognised', () => {
  const versions = Object.fromEntries([1, 18, 52].map((apiKey) => [apiKey, { minVersion: 0, maxVersion: 20 }]))
  expect(() => requireVersions(versions, 'c:9093')).toThrow(
    'Connecting to c:9093: it does not know the request Produce; it is perhaps the port of a KRaft controller. Name the port of a broker in KAFKA_BROKERS',
  )
  const { 52: _, ...others } = versions
  expect(() => requireVersions(others, 'c:9093')).toThrow('Latchkey needs Kafka 2.5 or later')
})
