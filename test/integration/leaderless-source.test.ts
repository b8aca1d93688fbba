/** A first start while the only broker of a source partition is down: the partition is named, nothing claims to be done, and the store continues when the broker is back. */
import { afterEach, expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import { runLatchkey } from '../support/binary/run-latchkey.ts'
import { healCluster, healTimeoutMs, sharedCluster } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

afterEach(healCluster, healTimeoutMs)

const testTimeoutMs = 120_000

test(
  'a first start names the source partition without a leader, and since when, and continues when it has one',
  async () => {
    const cluster = await sharedCluster()
    const isrOfOne = { 'min.insync.replicas': '1' }
    await using fixture = await Fixture.create({
      broker: cluster,
      partitions: 2,
      source: isrOfOne,
      changelog: isrOfOne,
    })
    const { source, changelog, storeId } = fixture
    await cluster.reassign(source, 0, [1])
    await cluster.reassign(source, 1, [2, 3])
    for (const partition of [0, 1]) await cluster.reassign(changelog, partition, [2, 3])
    await fixture.produce([0, 1].map((partition) => ({ partition, key: `key-${partition}`, value: 'value' })))
    await cluster.broker(1).kill()
    await until('it has no leader', async () => (await cluster.partition(source, 0)).leader < 0)
    await cluster.led(changelog)

    const settings = { ...localPort, KAFKA_BROKERS: cluster.direct, SOURCE_TOPIC: source, STORE_ID: storeId }
    const checked = await runLatchkey({ settings, args: ['--check'] })
    expect(checked.stdout).toContain(`warning: Topic ${source} has no leader for partition 0: a start waits for one`)
    const latchkey = await LatchkeyProcess.start({ settings })
    try {
      const detail = async () => (await latchkey.status(storeId))?.details.find(({ partition }) => partition === 0)
      await latchkey.until('the partition is in trouble', async () => ((await detail())?.troubles ?? []).length > 0)
      const trouble = (await detail())!.troubles![0]!
      expect(trouble).toMatchObject({ partition: 0, client: 'source consumer' })
      expect(Date.parse(trouble.since)).toBeLessThan(Date.now())
      const named = `offset of ${source} partition 0: the broker answered LEADER_NOT_AVAILABLE (partition 0)`
      await latchkey.until('the log names it', () => latchkey.stderr.includes(named))
      const progress = async () => (await latchkey.status(storeId))!.recovery!
      await latchkey.until('it does not claim to be done', async () => (await progress()).percent < 100)
      expect((await progress()).remainingSeconds).toBeNull()
      expect((await latchkey.status(storeId))!.reason).toContain(`${source} partition 0`)
      expect(await (await latchkey.get('/readyz')).text()).toContain(`${source} partition 0`)
      expect(await (await latchkey.get('/metrics')).text()).toMatch(
        /^latchkey_partition_trouble_since_seconds\{[^}]*partition="0"[^}]*\} [1-9]\d*/m,
      )
      await cluster.broker(1).start()
      await latchkey.until('it is ready', () => latchkey.isReady())
      expect(await (await latchkey.get(`/stores/${storeId}/key-0`)).text()).toBe('value')
      await latchkey.until('nothing is in trouble', async () => (await detail())?.troubles === undefined)
    } finally {
      await latchkey.close()
    }
  },
  testTimeoutMs,
)
