/** Each verb of the cluster does what it says: what tests of the store do to it would prove nothing otherwise. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Producer } from 'kafkajs'
import { until } from '../../until.ts'
import { healCluster, healTimeoutMs, kafkaClient, type KafkaCluster, sharedCluster, uniqueName } from '../index.ts'

/** With time for brokers that have to be started again. */
const testTimeoutMs = 180_000

let cluster: KafkaCluster

beforeEach(async () => {
  cluster = await sharedCluster()
}, testTimeoutMs)

afterEach(healCluster, healTimeoutMs)

/**
 * Calls `use` with a producer that has a topic's acknowledgements of all replicas in sync. It knows only brokers that are awake: kafkajs waits for
 * minutes for one that accepts a connection and says nothing.
 */
async function producing(use: (producer: Producer) => Promise<unknown>): Promise<void> {
  const retry = { initialRetryTime: 100, maxRetryTime: 500, retries: 200 }
  const producer = kafkaClient({ bootstrap: cluster.awake.join() }, { retry }).producer()
  await producer.connect()
  try {
    await use(producer)
  } finally {
    await producer.disconnect()
  }
}

function numbered(count: number) {
  return Array.from({ length: count }, (_, number) => ({ key: `key ${number}`, value: `${number}`, partition: 0 }))
}

test('sharedCluster has three brokers, and topics with three replicas of which two must be in sync', async () => {
  expect(await sharedCluster()).toBe(cluster)
  const topic = await cluster.createTopic(uniqueName('placed'), { partitions: 3 })
  const found = await Promise.all([0, 1, 2].map((partition) => cluster.partition(topic, partition)))
  expect(found.map(({ leader }) => leader).toSorted()).toEqual([1, 2, 3])
  expect(found.map(({ isr }) => isr.length)).toEqual([3, 3, 3])
  const stdout = await describe(topic)
  expect(stdout).toContain('min.insync.replicas=2')
})

test.each(['kill', 'stop', 'pause'] as const)(
  'a partition gets another leader when its own gets a %s, and heal brings all back',
  async (fault) => {
    const topic = await cluster.createTopic(uniqueName('lead'))
    const leader = await cluster.leaderOf(topic, 0)
    await leader[fault]()
    expect(leader.isAwake).toBe(false)
    await until('another leads', async () => (await cluster.partition(topic, 0)).leader !== leader.id)
    await producing((producer) => producer.send({ topic, messages: numbered(1) }))
    await cluster.heal()
    expect(leader.isAwake).toBe(true)
    expect((await cluster.partition(topic, 0)).isr.length).toBe(3)
    expect(await cluster.endOf(topic, 0)).toBe(1)
  },
  testTimeoutMs,
)

test.each(['group', 'transaction'] as const)(
  'a coordinator of a %s moves when its broker is silent',
  async (kind) => {
    const name = uniqueName(kind)
    const before = await cluster.coordinatorOf(kind, name)
    before.pause()
    await until('another coordinates', async () => (await cluster.coordinatorOf(kind, name)).id !== before.id)
  },
  testTimeoutMs,
)

test('a partition is moved to other brokers, and to another leader, as requested', async () => {
  const topic = await cluster.createTopic(uniqueName('move'), { replicas: [[1, 2]] })
  await cluster.reassign(topic, 0, [2, 3])
  expect(await cluster.partition(topic, 0)).toMatchObject({ leader: 2, replicas: [2, 3] })
  await cluster.moveLeader(topic, 0, 3)
  expect(await cluster.partition(topic, 0)).toMatchObject({ leader: 3, replicas: [3, 2] })
})

test(
  'an unclean election loses what was acknowledged meanwhile, and no more',
  async () => {
    const config = { 'min.insync.replicas': '1' }
    const topic = await cluster.createTopic(uniqueName('lose'), { replicas: [[1, 2]], config })
    await producing(async (producer) => {
      await producer.send({ topic, messages: numbered(10) })
      let acknowledged: string | undefined
      const lost = await cluster.loseTail(topic, 0, async () => {
        const [answer] = await producer.send({ topic, acks: -1, messages: numbered(5) })
        acknowledged = answer!.baseOffset
      })
      expect(acknowledged).toBe('10')
      expect(lost).toEqual({ start: 10, end: 15 })
      const [answer] = await producer.send({ topic, acks: -1, messages: numbered(1) })
      expect(answer!.baseOffset).toBe('10')
    })
    expect((await cluster.partition(topic, 0)).isr.length).toBe(2)
  },
  testTimeoutMs,
)

test('loseTail refuses a topic whose leader could not acknowledge alone', async () => {
  const topic = await cluster.createTopic(uniqueName('refuse'))
  await expect(cluster.loseTail(topic, 0, async () => {})).rejects.toThrow('min.insync.replicas is 2, and 1 is needed')
})

test('a topic that is recreated is empty and has another id', async () => {
  const topic = await cluster.createTopic(uniqueName('again'))
  await producing((producer) => producer.send({ topic, messages: numbered(3) }))
  const before = await topicId(topic)
  await cluster.recreateTopic(topic, { partitions: 2 })
  expect(await cluster.endOf(topic, 0)).toBe(0)
  expect(await topicId(topic)).not.toBe(before)
})

test('heal lets all proxies pass, and clients through them reach every leader', async () => {
  const topic = await cluster.createTopic(uniqueName('proxied'), { partitions: 3 })
  for (const { proxy } of cluster.brokers) {
    proxy.onRequest = () => 'drop'
    await proxy.refuse()
  }
  await cluster.heal()
  const producer = kafkaClient(cluster.throughProxies).producer()
  await producer.connect()
  const connected = cluster.brokers.map(({ proxy }) => proxy.accepted)
  await producer.send({ topic, messages: [0, 1, 2].map((partition) => ({ partition, value: 'here' })) })
  await producer.disconnect()
  expect(cluster.brokers.every(({ proxy }, index) => proxy.accepted >= Math.max(connected[index]!, 1))).toBe(true)
})

async function topicId(topic: string): Promise<string | undefined> {
  return /TopicId: (\S+)/.exec(await describe(topic))?.[1]
}

async function describe(topic: string): Promise<string> {
  const args = ['--bootstrap-server', cluster.direct, '--describe', '--topic', topic]
  return (await cluster.java('org.apache.kafka.tools.TopicCommand', args)).stdout
}
