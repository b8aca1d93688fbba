import { expect, test } from 'bun:test'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { int16, int32 } from '../support/kafka/fakes/responses.ts'
import { ScriptedCluster } from '../support/kafka/fakes/scripted-cluster.ts'

const findCoordinator = 10
const ids = Array.from({ length: 500 }, (_, partition) => `latchkey-orders-${partition}`)

function open(cluster: ScriptedCluster): KafkaClient {
  return new KafkaClient({
    subject: 'test',
    clientId: 'test',
    brokers: [cluster.address(1)],
    connectionTimeoutMs: 5_000,
    requestTimeoutMs: 5_000,
  })
}

function compactText(value: string): Buffer {
  return Buffer.concat([Buffer.from([Buffer.byteLength(value) + 1]), Buffer.from(value)])
}

/** Version 4, of the keys for which it has a node. */
function answerOf(cluster: ScriptedCluster, keys: readonly string[], nodeOf: (key: string) => number): Buffer {
  const coordinators = keys.map((key) => {
    const node = nodeOf(key)
    const { host, port } = cluster.address(Math.max(node, 1))
    const found = [compactText(key), int32(node), compactText(host), int32(port), int16(node < 0 ? 15 : 0)]
    return Buffer.concat([...found, Buffer.from([0, 0])])
  })
  const length = Buffer.from([((keys.length + 1) & 127) | 128, (keys.length + 1) >> 7])
  return Buffer.concat([Buffer.from([0]), int32(0), length, ...coordinators, Buffer.from([0])])
}

test('the coordinators of 500 transactional ids are found with one request, each its own', async () => {
  await using cluster = await ScriptedCluster.start(2)
  cluster.versionsMax.set(findCoordinator, 4)
  const nodeOf = (key: string) => (key.endsWith('7') ? 2 : 1)
  cluster.answer = ({ body }) =>
    answerOf(
      cluster,
      ids.filter((id) => body.includes(id)),
      nodeOf,
    )
  const client = open(cluster)
  const found = await Promise.all(ids.map((id) => client.coordinator('transaction', id)))
  expect(found).toEqual(ids.map(nodeOf))
  // They are known now.
  await Promise.all(ids.map((id) => client.coordinator('transaction', id)))
  expect(cluster.askedOf(1)).toEqual([findCoordinator])
  client.close()
})

test('one id without a coordinator fails by itself, and is asked for again', async () => {
  await using cluster = await ScriptedCluster.start(1)
  cluster.versionsMax.set(findCoordinator, 4)
  let isLoading = true
  cluster.answer = ({ body }) => {
    const asked = ids.slice(0, 3).filter((id) => body.includes(id))
    return answerOf(cluster, asked, (key) => (isLoading && key === ids[1] ? -1 : 1))
  }
  const client = open(cluster)
  const find = () => Promise.allSettled(ids.slice(0, 3).map((id) => client.coordinator('transaction', id)))
  expect((await find()).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  isLoading = false
  expect((await find()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
  client.close()
})

test('a broker before 3.0, which knows one key a request, is asked for each', async () => {
  await using cluster = await ScriptedCluster.start(1)
  const client = open(cluster)
  expect(await Promise.all(ids.slice(0, 3).map((id) => client.coordinator('transaction', id)))).toEqual([1, 1, 1])
  expect(cluster.asked.map(({ apiVersion }) => apiVersion)).toEqual([2, 2, 2])
  client.close()
})
