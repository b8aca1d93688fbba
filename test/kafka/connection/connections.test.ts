import { afterEach, expect, test } from 'bun:test'
import { KafkaClient, type TopicMetadata } from '../../../lib/kafka/client.ts'
import { ScriptedCluster } from '../../support/kafka/fakes/scripted-cluster.ts'
import { freePorts } from '../../support/process/ports.ts'
import { soon, until } from '../../support/until.ts'

const open: KafkaClient[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.close()
})

const host = '127.0.0.1'

function clientOf(...ports: number[]): KafkaClient {
  const client = new KafkaClient({
    subject: 'test',
    brokers: ports.map((port) => ({ host, port })),
    clientId: 'test',
    connectionTimeoutMs: 10_000,
    requestTimeoutMs: 30_000,
    retryBackoff: { firstMs: 1, maxMs: 5 },
  })
  open.push(client)
  return client
}

/** Asks until there is an answer. */
function metadataOf(client: KafkaClient, topics: string[]): Promise<TopicMetadata[]> {
  return soon(
    'an answer',
    client.retryForever(() => client.metadata(topics)),
  )
}

test('a client finds the cluster at addresses it has learned when its only seed never returns', async () => {
  await using cluster = await ScriptedCluster.start(3)
  cluster.leaders.set('topic', [2, 3])
  const client = clientOf(cluster.broker(1).port)
  await metadataOf(client, ['topic'])
  for (const node of [1, 2, 3]) await cluster.broker(node).end()
  expect(await client.metadata(['topic']).catch((error: unknown) => error)).toMatchObject({
    code: 'broker_unreachable',
  })
  for (const node of [2, 3]) await cluster.broker(node).listen()
  const [found] = await metadataOf(client, ['topic'])
  expect(found!.partitions.map(({ leader }) => leader)).toEqual([2, 3])
})

test('a client tries all known addresses in turn, the seeds among them', async () => {
  await using cluster = await ScriptedCluster.start(2)
  const [nowhere] = await freePorts(1)
  const client = clientOf(nowhere!, cluster.broker(1).port)
  await metadataOf(client, [])
  expect(client.health.failures).toBe(1)
  for (const node of [1, 2]) await cluster.broker(node).end()
  // Both have new addresses but for the seed's.
  await cluster.broker(1).listen()
  await cluster.broker(2).listen(0)
  await metadataOf(client, [])
  expect(client.knows(2)).toBe(true)
  await cluster.broker(1).end()
  await until('the other one answers', () =>
    client.metadata([]).then(
      () => true,
      () => false,
    ),
  )
})

test('a client reaches a broker where the metadata say that it is now', async () => {
  await using cluster = await ScriptedCluster.start(2)
  cluster.leaders.set('topic', [2])
  const asked = { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets', encode: () => [] }
  cluster.answer = ({ node }) => Buffer.from([node])
  const client = clientOf(cluster.broker(1).port)
  await metadataOf(client, ['topic'])
  expect([...(await client.send(2, asked, 10_000))]).toEqual([2])
  // Another broker may listen where it was: what matters is where it is said to be.
  const former = cluster.broker(2).port
  await cluster.broker(2).end()
  await cluster.broker(2).listen(0)
  expect(cluster.broker(2).port).not.toBe(former)
  await client.send(2, asked, 10_000).catch(() => {})
  await metadataOf(client, ['topic'])
  expect([...(await client.send(2, asked, 10_000))]).toEqual([2])
})

test('a client closes the connection to the former address of a broker that has another one', async () => {
  await using cluster = await ScriptedCluster.start(2)
  cluster.answer = () => undefined
  const client = clientOf(cluster.broker(1).port)
  await metadataOf(client, [])
  const silent = client.send(2, { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets', encode: () => [] }, 60_000)
  const failure = silent.catch((error: unknown) => error)
  await until('it is asked', () => cluster.askedOf(2).includes(2))
  cluster.broker(2).port = cluster.broker(1).port
  await metadataOf(client, [])
  expect(await soon('an end of it', failure)).toMatchObject({ code: 'broker_unreachable' })
})

test('a client looks for the leaders of a partition again when the broker that led it does not answer', async () => {
  await using cluster = await ScriptedCluster.start(3)
  cluster.leaders.set('topic', [2])
  const client = clientOf(cluster.broker(1).port)
  await metadataOf(client, ['topic'])
  expect([...(await client.leaders('topic', [0])).keys()]).toEqual([2])
  await cluster.broker(2).end()
  cluster.leaders.set('topic', [3])
  const asked = client.send(2, { apiKey: 2, apiVersion: 3, apiName: 'ListOffsets', encode: () => [] }, 10_000)
  expect(await asked.catch((error: unknown) => error)).toMatchObject({ code: 'broker_unreachable' })
  expect([...(await client.leaders('topic', [0])).keys()]).toEqual([3])
})

test('each lane to a node is a connection, and lane 0 stays when the lanes are closed', async () => {
  await using cluster = await ScriptedCluster.start(1)
  const client = clientOf(cluster.broker(1).port)
  await metadataOf(client, [])
  const request = { apiKey: 10, apiVersion: 3, apiName: 'FindCoordinator', encode: () => [] }
  cluster.versionsMax.set(request.apiKey, 3)
  cluster.answer = () => Buffer.from([1])
  const send = (lane?: number) => client.send(1, request, 5_000, lane === undefined ? {} : { lane })
  const before = cluster.broker(1).connections
  await Promise.all([send(), send(0), send(1), send(3), send(3)])
  const all = cluster.broker(1).connections
  client.closeLanes()
  await until('the lanes are closed', () => cluster.broker(1).connections === all - 2)
  await Promise.all([send(0), send(1)])
  expect(cluster.broker(1).connections).toBe(all - 1)
  client.close()
  await until('all are closed', () => cluster.broker(1).connections === 0)
  expect(all - before).toBeGreaterThanOrEqual(2)
})

test('a failed request of a lane closes that lane only', async () => {
  await using cluster = await ScriptedCluster.start(1)
  const client = clientOf(cluster.broker(1).port)
  await metadataOf(client, [])
  const waiting = { apiKey: 10, apiVersion: 3, apiName: 'FindCoordinator', encode: () => [] }
  cluster.versionsMax.set(waiting.apiKey, 3)
  const late = client.send(1, waiting, 60_000, { lane: 2 })
  await until('it is asked', () => cluster.asked.some(({ apiKey }) => apiKey === waiting.apiKey))
  const failed = client.send(1, waiting, 20, { lane: 1 }).catch((error: unknown) => error)
  expect(await failed).toMatchObject({ code: 'request_timed_out' })
  cluster.broker(1).respond(waiting.apiKey, Buffer.from([1]))
  expect(await late).toEqual(Buffer.from([1]))
})
