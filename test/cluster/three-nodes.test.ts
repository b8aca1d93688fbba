/** The topology that replicas are for: three nodes, each with a third of the partitions as primary and the rest as replica. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { partitionFor } from '../../lib/store/partitioner.ts'
import { completeness, logOrder } from '../support/fault-run/invariants.ts'
import { readTopic } from '../support/fault-run/oracle.ts'
import { Workload } from '../support/fault-run/workload.ts'
import { agrees, Node } from '../support/instances/nodes.ts'
import { Watcher } from '../support/instances/watcher.ts'
import { createTopic, type KafkaBroker, sharedKafka, uniqueName } from '../support/kafka/index.ts'
import { Random } from '../support/random.ts'

const partitions = 9
const thirds = ['0-2', '3-5', '6-8']
const rounds = 3
const keys = 300
const lastingKeys = 90
const testTimeoutMs = 120_000

let broker: KafkaBroker
let topic: string
let nodes: Node[]

beforeAll(async () => {
  broker = await sharedKafka()
  topic = await createTopic(broker, uniqueName('nodes'), { partitions })
  nodes = thirds.map((own) => {
    const others = thirds.filter((third) => third !== own)
    return new Node(broker, topic, { PARTITIONS: own, PARTITIONS_REPLICA: others.join(',') })
  })
})

afterAll(() => Promise.all(nodes.map((node) => node.close())))

test(
  'three nodes serve every key and agree with the source when each is killed three times under load',
  async () => {
    const random = Random.of('three nodes')
    const workload = new Workload(broker.direct, topic, random, { keys, pauseMs: 10 })
    // These are updated and never deleted: once written, no answer may ever be that there is no such key.
    const lasting = Array.from({ length: lastingKeys }, (_, number) => `lasting-${number}`)
    const write = (value: string) => workload.send(lasting.map((key) => [key, `${key} ${value}`]))
    await write('at first')
    await Promise.all(nodes.map((node) => node.startReady()))
    for (const node of nodes) await agrees(node, broker, topic)
    const watchers = nodes.map((node) => new Watcher(node, lasting))
    try {
      workload.start()
      for (const watcher of watchers) watcher.start()
      for (let round = 0; round < rounds; round++) {
        for (const [index, node] of nodes.entries()) {
          const survivors = nodes.filter((one) => one !== node)
          await node.process.kill()
          await write(`of round ${round}, without node ${index}`)
          for (const key of lasting.filter((one) => ownerOf(one) === index)) {
            for (const survivor of survivors) {
              expect(await survivor.lookUp(key)).toMatchObject({ status: 200, role: 'replica' })
            }
          }
          await node.startReady()
        }
      }
      await workload.stop()
      for (const node of nodes) await agrees(node, broker, topic)
    } finally {
      await Promise.all(watchers.map((watcher) => watcher.stop()))
      await workload.close()
    }
    for (const { faults, found } of watchers) {
      expect(faults).toEqual([])
      expect(found).toBeGreaterThan(1_000)
    }
    const source = (await readTopic(broker.direct, topic)).records
    const changelog = await readTopic(broker.direct, `${topic}-changelog`)
    const history = {
      source,
      changelog,
      reads: [],
      acknowledgements: [],
      commits: [],
      instances: [],
      answers: new Map(),
    }
    expect([...completeness(history), ...logOrder(history)].slice(0, 5)).toEqual([])
  },
  testTimeoutMs,
)

test('a fourth node that only has replicas joins late and agrees', async () => {
  const late = new Node(broker, topic, {
    USE_REPLICA_ONLY: 'true',
    SOURCE_TOPIC: '',
    STORE_ID: topic,
    WAIT_FOR_REPLICAS: 'true',
  })
  nodes.push(late)
  await late.startReady()
  await agrees(late, broker, topic)
  expect(await late.lookUp('lasting-0')).toMatchObject({ status: 200, role: 'replica' })
  expect(await late.process.stop()).toBe(0)
})

test('a node names the partition of a key that it does not hold, so that a client can ask another node', async () => {
  const small = new Node(broker, topic, { USE_REPLICA_ONLY: 'true', PARTITIONS_REPLICA: '0-2' })
  nodes.push(small)
  await small.startReady()
  const key = Array.from({ length: lastingKeys }, (_, number) => `lasting-${number}`).find((one) => ownerOf(one) === 2)!
  const { status, text } = await small.lookUp(key)
  expect(status).toBe(421)
  expect(JSON.parse(text)).toMatchObject({
    code: 'partition_not_held',
    partition: partitionFor(Buffer.from(key), partitions, 'murmur2'),
    held: { primary: [], replicas: [0, 1, 2] },
  })
  expect((await nodes[2]!.lookUp(key)).status).toBe(200)
})

/** Index of the node that has a key as primary. */
function ownerOf(key: string): number {
  return Math.floor(partitionFor(Buffer.from(key), partitions, 'murmur2')! / 3)
}
