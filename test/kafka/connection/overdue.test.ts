import { afterEach, beforeEach, expect, test } from 'bun:test'
import { KafkaClient } from '../../../lib/kafka/client.ts'
import { fetchCommitted } from '../../../lib/kafka/offsets.ts'
import { plainProducerId } from '../../../lib/kafka/transactional-id.ts'
import { ScriptedCluster } from '../../support/kafka/fakes/scripted-cluster.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'
import { soon, until } from '../../support/until.ts'

const lateMs = 50
let cluster: ScriptedCluster
const open: KafkaClient[] = []

beforeEach(async () => {
  cluster = await ScriptedCluster.start(3)
  cluster.leaders.set('topic', [2, 2])
})
afterEach(async () => {
  for (const one of open.splice(0)) one.close()
  await cluster[Symbol.asyncDispose]()
})

function clientOf(...seeds: number[]): KafkaClient {
  return clientThatWaits(lateMs, seeds)
}

function clientThatWaits(ms: number, seeds: readonly number[]): KafkaClient {
  const client = new KafkaClient({
    subject: 'test',
    brokers: seeds.map((node) => cluster.address(node)),
    clientId: 'test',
    connectionTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
    retryBackoff: { firstMs: 1, maxMs: 5 },
    lateMs: ms,
  })
  open.push(client)
  return client
}

const produce = { apiKey: 0, apiVersion: 7, apiName: 'Produce', encode: () => [] }
const purpose = { topic: 'topic', partitions: [0] }

async function failureOf(exchange: Promise<unknown>): Promise<unknown> {
  return exchange.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('a request is abandoned when the cluster continues without its silent broker', async () => {
  const lines = captureLog()
  const client = clientOf(1)
  await client.metadata(['topic'])
  const failure = failureOf(client.send(2, produce, 60_000, purpose))
  await until('it is asked', () => cluster.askedOf(2).includes(0))
  await until('the others are asked', () => cluster.askedOf(1).filter((apiKey) => apiKey === 3).length > 1)
  // Nothing is abandoned while the cluster counts on it.
  cluster.alive = [1, 3]
  cluster.leaders.set('topic', [3, 3])
  expect(await soon('an end of it', failure)).toMatchObject({
    code: 'broker_unreachable',
    message: expect.stringContaining('and the cluster continues without it'),
  })
  expect(client.leader('topic', 0)).toBe(3)
  expect(lines.join()).toContain(`test: 127.0.0.1:${cluster.broker(2).port} has given no answer for`)
})

test('a request is abandoned when one of its partitions has another leader, even if the silent broker counts as alive', async () => {
  const client = clientOf(1)
  await client.metadata(['topic'])
  const failure = failureOf(client.send(2, produce, 60_000, purpose))
  await until('it is asked', () => cluster.askedOf(2).includes(0))
  cluster.leaders.set('topic', [3, 2])
  expect(await soon('an end of it', failure)).toMatchObject({ code: 'broker_unreachable' })
})

test('a request still waits when its broker still leads, and is reported meanwhile', async () => {
  const client = clientOf(1)
  await client.metadata(['topic'])
  const waits = failureOf(client.send(2, produce, 60_000, purpose))
  await until('it is asked', () => cluster.askedOf(2).includes(0))
  await until('it lasts', () => client.health.partitionTroubles.length > 0)
  expect(client.health.partitionTroubles).toMatchObject([
    { partition: 0, broker: `127.0.0.1:${cluster.broker(2).port}`, message: expect.stringContaining('no answer for') },
  ])
  expect(await Promise.race([waits, 'waits'])).toBe('waits')
})

test('a request that may wait at the broker is not overdue before that', async () => {
  const client = clientOf(1)
  await client.metadata(['topic'])
  const asked = cluster.asked.filter(({ apiKey }) => apiKey === 3).length
  const waits = failureOf(client.send(2, produce, 60_000, { ...purpose, waitMs: 60_000 }))
  const overdue = failureOf(client.send(3, produce, 60_000, { topic: 'topic', partitions: [] }))
  await until('the other one is overdue', () => cluster.asked.filter(({ apiKey }) => apiKey === 3).length > asked)
  cluster.alive = [1]
  expect(await overdue).toBeDefined()
  expect(await Promise.race([waits, 'waits'])).toBe('waits')
})

test('metadata and coordinators come from another broker when the one asked is silent', async () => {
  const client = clientOf(1, 2)
  cluster.broker(1).isSilent = true
  await client.metadata(['topic'])
  expect(cluster.askedOf(2)).toContain(3)
  cluster.coordinator = 3
  expect(await client.coordinator('group', 'one')).toBe(3)
})

test('a silent broker is skipped from then on, and asked again once it has answered', async () => {
  // Long enough that a broker of this process answers in time.
  const client = clientThatWaits(1_000, [1])
  await client.metadata(['topic'])
  cluster.broker(1).isSilent = true
  const first = failureOf(client.send(2, { ...produce, apiKey: 8, apiVersion: 5, apiName: 'OffsetCommit' }, 60_000))
  await until('it is overdue, and another one is asked', () => cluster.askedOf(3).includes(3))
  // Neither of the two that say nothing is asked any more.
  const asked = [cluster.broker(1).received, cluster.broker(2).received]
  await client.metadata(['topic'])
  expect([cluster.broker(1).received, cluster.broker(2).received]).toEqual(asked)
  cluster.broker(2).respond(8, Buffer.alloc(4))
  expect(await soon('an end of it', first)).toBeUndefined()
  for (const node of [1, 3]) await cluster.broker(node).end()
  await until('it is asked again', async () => (await failureOf(client.metadata(['topic']))) === undefined)
})

test('every broker is asked again when all were silent', async () => {
  const client = clientOf(1)
  await client.metadata(['topic'])
  for (const node of [2, 3]) await client.versionMax(node, 3)
  for (const node of [1, 2, 3]) cluster.broker(node).isSilent = true
  const received = [1, 2, 3].map((node) => cluster.broker(node).received)
  const first = failureOf(client.metadata(['topic']))
  await until('all are asked', () => received.every((before, index) => cluster.broker(index + 1).received > before))
  await Bun.sleep(2 * lateMs) // the last one is late, too
  cluster.broker(3).isSilent = false
  expect(await soon('an answer of the one that speaks again', client.metadata(['topic']))).toHaveLength(1)
  client.close()
  await first
})

test('a producer id comes from another broker when the one asked is silent', async () => {
  const client = clientOf(1, 2)
  cluster.broker(1).isSilent = true
  cluster.answer = ({ apiKey }) => (apiKey === 22 ? Buffer.from('00000000000000000000000000070001', 'hex') : undefined)
  expect(await plainProducerId(client)).toEqual({ producerId: 7, producerEpoch: 1 })
})

test('a coordinator is looked up again when it is silent, has ended, or says that it is not the coordinator', async () => {
  cluster.coordinator = 2
  const client = clientOf(1)
  const committed = () => {
    const request = client.retryForever(() => fetchCommitted(client, 'group', 'topic', [0]))
    return soon('an answer', request)
  }
  const errorOf = new Map([[2, 16]])
  cluster.answer = ({ node, apiKey }) => (apiKey === 9 ? committedResponse(errorOf.get(node) ?? 0) : undefined)
  cluster.coordinator = 2
  const first = committed()
  await until('the former one is asked', () => cluster.askedOf(2).includes(9))
  cluster.coordinator = 3
  expect((await first).get(0)?.offset).toBe(12)
  // It ends.
  await cluster.broker(3).end()
  cluster.coordinator = 1
  expect((await committed()).get(0)?.offset).toBe(12)
  // It falls silent, and the cluster continues without it.
  await cluster.broker(3).listen()
  cluster.coordinator = 3
  client.forgetCoordinator('group', 'group')
  expect((await committed()).get(0)?.offset).toBe(12)
  cluster.broker(3).isSilent = true
  const last = committed()
  cluster.alive = [1, 2]
  cluster.coordinator = 1
  expect((await last).get(0)?.offset).toBe(12)
})

/** OffsetFetch version 4: partition 0 of the topic at 12. */
function committedResponse(errorCode: number): Buffer {
  const parts = Buffer.alloc(4 + 4 + 2 + 5 + 4 + 4 + 8 + 2 + 2 + 2)
  let at = parts.writeInt32BE(0) // throttle time
  at = parts.writeInt32BE(1, at)
  at = parts.writeInt16BE(5, at)
  at += parts.write('topic', at)
  at = parts.writeInt32BE(1, at)
  at = parts.writeInt32BE(0, at)
  at = parts.writeBigInt64BE(12n, at)
  at = parts.writeInt16BE(-1, at)
  at = parts.writeInt16BE(0, at)
  parts.writeInt16BE(errorCode, at)
  return parts
}
