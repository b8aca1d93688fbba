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
