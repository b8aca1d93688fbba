/** A store on three brokers continues when one that it needs is killed, and while that is down. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { fencePartition, newClaim } from '../../lib/kafka/fence.ts'
import { markersFrom } from '../../lib/store-thread/recovery/changelog-check.ts'
import { api } from '../support/fault-run/wire.ts'
import {
  type ClusterBroker,
  healCluster,
  healTimeoutMs,
  type KafkaCluster,
  sharedCluster,
  uniqueName,
} from '../support/kafka/index.ts'
import { toAddresses } from '../support/kafka/real-client.ts'
import { Fixture } from '../support/store/fixture.ts'
import { withClient } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const testTimeoutMs = 150_000
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1)
const partitions = 3

let cluster: KafkaCluster

beforeEach(async () => {
  cluster = await sharedCluster()
}, testTimeoutMs)

afterEach(healCluster, healTimeoutMs)

/** An update of some keys and a deletion in every partition. */
function updates(round: number) {
  return Array.from({ length: partitions * 10 }, (_, number) => {
    const key = `key-${number}`
    return { key, partition: number % partitions, value: (number + round) % 7 === 0 ? null : `${key} of ${round}` }
  })
}

const victims: [name: string, of: (fixture: Fixture) => Promise<ClusterBroker>][] = [
  ['the leader of a changelog partition', (fixture) => cluster.leaderOf(fixture.changelog, 0)],
  ['the coordinator of its group', (fixture) => cluster.coordinatorOf('group', fixture.storeId)],
  [
    'the coordinator of a transactional id',
    (fixture) => cluster.coordinatorOf('transaction', `latchkey-${fixture.storeId}-0`),
  ],
]

test.each(victims)(
  'a store writes, publishes and commits everything while %s is killed, and after its restart',
  async (_, victimOf) => {
    await using fixture = await Fixture.create({ broker: cluster, partitions, changelog: {} })
    let store = fixture.open()
    for (let round = 0; round < rounds; round++) {
      await fixture.produce(updates(3 * round))
      await fixture.quiet(store)
      await (await victimOf(fixture)).kill()
      await cluster.led(fixture.source, fixture.changelog)
      await fixture.produce(updates(3 * round + 1))
      await fixture.quiet(store)
      await fixture.expectConverged(store)
      // It commits, recovers and takes its partitions with two brokers of three.
      await store.close()
      expect(await fixture.committed()).toEqual((await fixture.readSource()).ends)
      store = fixture.open()
      await fixture.produce(updates(3 * round + 2))
      await fixture.quiet(store)
      await fixture.expectConverged(store)
      await cluster.heal()
    }
  },
  testTimeoutMs,
)

test(
  'a store whose settings name one broker continues when that broker never returns and the others have restarted',
  async () => {
    const [named, ...others] = cluster.brokers as [ClusterBroker, ClusterBroker, ClusterBroker]
    await using fixture = await Fixture.create({ broker: cluster, partitions, changelog: {} })
    const store = fixture.openLogged({ kafkaBrokers: toAddresses(named.direct) })
    await fixture.produce(updates(1))
    await fixture.quiet(store)

    await named.kill()
    await cluster.led(fixture.source, fixture.changelog)
    await Promise.all(others.map((broker) => broker.stop()))
    await Promise.all(others.map((broker) => broker.start()))
    await cluster.led(fixture.source, fixture.changelog)
    await fixture.produce(updates(2))
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    expect(named.isUp).toBe(false)
  },
  testTimeoutMs,
)

/** Kills the next broker that is asked to end a transaction which has just begun there. */
function killedAtEnd(): Promise<ClusterBroker> {
  const { promise, resolve } = Promise.withResolvers<ClusterBroker>()
  const struck: ClusterBroker[] = []
  for (const broker of cluster.brokers) {
    broker.proxy.onRequest = async ({ apiKey }) => {
      if (apiKey !== api.endTransaction || struck.push(broker) > 1) return undefined
      await broker.kill()
      resolve(broker)
      return 'cut'
    }
  }
  return promise
}

async function killedCoordinator(transactionalId: string): Promise<ClusterBroker> {
  const broker = await cluster.coordinatorOf('transaction', transactionalId)
  await broker.kill()
  return broker
}

test.each([
  ['', killedCoordinator],
  [' between AddPartitionsToTxn and EndTxn', killedAtEnd],
])(
  'a partition is taken again repeatedly while coordinators are killed%s, and no other instance is reported',
  async (_when, kill) => {
    const topic = await cluster.createTopic(uniqueName('renewed'), { partitions })
    await withClient(cluster.proxied, async (client) => {
      const ids = Array.from({ length: partitions }, (_, partition) => `${topic}-${partition}`)
      const over = new AbortController()
      const counts = ids.map(() => 0)
      const renewals = ids.map(async (transactionalId, partition) => {
        const claim = newClaim()
        const markers = () => markersFrom(client, topic, partition, 0)
        let lastEpoch = -1
        for (; !over.signal.aborted; counts[partition]!++) {
          const { producerEpoch } = await fencePartition({ client, transactionalId, topic, partition, markers }, claim)
          expect(producerEpoch).toBeGreaterThan(lastEpoch)
          lastEpoch = producerEpoch
        }
      })
      const all = Promise.all(renewals)
      for (let round = 0; round < rounds; round++) {
        const killed = kill(ids[round % partitions]!)
        await Promise.race([killed, all])
        await (await killed).start()
        await cluster.healthy()
      }
      const before = [...counts]
      const goesOn = () => counts.every((count, partition) => count > before[partition]!)
      await Promise.race([until('each is taken again', goesOn), all])
      over.abort()
      await all
    })
  },
  testTimeoutMs,
)
