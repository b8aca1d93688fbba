/** Three brokers, one of which is frozen or stopped: its partitions continue at other brokers, and those that cannot are named. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { healCluster, healTimeoutMs, kafkaClient, type KafkaCluster, sharedCluster } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const testTimeoutMs = 150_000
/** Beyond the cluster's own election. */
const followMs = 5_000

let cluster: KafkaCluster

beforeEach(async () => {
  cluster = await sharedCluster()
}, testTimeoutMs)

afterEach(healCluster, healTimeoutMs)

function everywhere(partitions: number, value: string) {
  return Array.from({ length: partitions }, (_, partition) => ({ partition, key: `key-${partition}`, value }))
}

test(
  'a changelog partition whose leader is silent is written to the next leader as soon as there is one',
  async () => {
    await using fixture = await Fixture.create({ broker: cluster, changelog: {} })
    await cluster.reassign(fixture.source, 0, [2, 3])
    await cluster.reassign(fixture.changelog, 0, [1, 2, 3])
    const store = fixture.openLogged()
    await fixture.produce(everywhere(1, 'first'))
    await fixture.quiet(store)

    // kafkajs would wait for the broker that says nothing.
    const bootstrap = [2, 3].map((id) => cluster.broker(id).direct).join()
    const producer = kafkaClient({ bootstrap }).producer()
    await producer.connect()
    await producer.send({ topic: fixture.source, messages: everywhere(1, 'second') })
    await fixture.quiet(store)
    cluster.broker(1).pause()
    await producer.send({ topic: fixture.source, messages: everywhere(1, 'third') })
    await producer.disconnect()
    await until('another one leads', async () => (await cluster.partition(fixture.changelog, 0)).leader !== 1)
    await until('it is written there', () => store.status().details[0]!.position === 3, 2 * followMs)
    await fixture.logged('and the cluster continues without it')
    await fixture.logged('no answer for')

    await cluster.heal()
    await fixture.produce(everywhere(1, 'fourth'))
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await until('its trouble is over', () => store.status().reason === undefined)
  },
  testTimeoutMs,
)

test(
  'partitions continue, and the one that cannot be written is named with its broker, when the broker is stopped',
  async () => {
    const config = { 'min.insync.replicas': '1' }
    await using fixture = await Fixture.create({ broker: cluster, partitions: 3, changelog: config })
    for (const partition of [0, 1, 2]) {
      await cluster.reassign(fixture.source, partition, [2, 3])
      await cluster.reassign(fixture.changelog, partition, [partition + 1])
    }
    const store = fixture.openLogged()
    await fixture.produce(everywhere(3, 'first'))
    await fixture.quiet(store)

    await cluster.broker(1).kill()
    await fixture.produce(everywhere(3, 'second'))
    const detail = (partition: number) => store.status().details[partition]!
    await until('the others are written', () => detail(1).position === 2 && detail(2).position === 2)
    await until('it is named', () => (detail(0).troubles?.length ?? 0) > 0)
    await fixture.logged('(partition 0')
    const [trouble] = detail(0).troubles!
    expect(trouble).toMatchObject({ partition: 0, client: 'changelog producer' })
    expect(detail(0)).toMatchObject({ position: 1, end: 2, lag: 1, reason: expect.stringContaining(trouble!.since) })
    expect([detail(1).troubles, detail(2).troubles]).toEqual([undefined, undefined])
    expect(store.status().reason).toContain('partition 0')

    await cluster.heal()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await until('its trouble is over', () => detail(0).reason === undefined)
  },
  testTimeoutMs,
)
