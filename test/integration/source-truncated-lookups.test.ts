/** What the executable answers while it reads a source again that has lost its tail: right values, or "ask again", and nothing else. */
import { afterEach, expect, test } from 'bun:test'
import { LatchkeyProcess, localPort } from '../support/binary/latchkey-process.ts'
import {
  healCluster,
  healTimeoutMs,
  type KafkaCluster,
  type ProxiedRequest,
  sharedCluster,
} from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

afterEach(healCluster, healTimeoutMs)

const testTimeoutMs = 180_000
const fetchKey = 1
/** Of a partition in a Fetch request of version 13: offset 0, no epoch of what was fetched last, no log start offset. */
const fromStart = Buffer.concat([Buffer.alloc(8), Buffer.alloc(12, 0xff)])

function orders(from: number, count: number, value: string) {
  return Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: `${value} ${from + i}` }))
}

/** Holds back what is fetched from the start of a partition, until it is released. */
function holdFetchesFromStart(cluster: KafkaCluster, ids: readonly number[]) {
  const released = Promise.withResolvers<void>()
  const held = { count: 0, release: released.resolve }
  for (const id of ids) {
    cluster.broker(id).proxy.onRequest = ({ apiKey, frame }: ProxiedRequest) => {
      if (apiKey !== fetchKey || !frame.includes(fromStart)) return undefined
      held.count++
      return released.promise
    }
  }
  return held
}

async function answerOf(latchkey: LatchkeyProcess, storeId: string, key: string): Promise<string> {
  const answer = await latchkey.get(`/stores/${storeId}/${key}`)
  if (answer.status === 200) return answer.text()
  const { code } = (await answer.json()) as { code: string }
  return `${answer.status} ${code}`
}

test(
  'lookups of what a source has lost are to be retried while it is read again, and all others are served',
  async () => {
    const cluster = await sharedCluster()
    const isrOfOne = { 'min.insync.replicas': '1' }
    await using fixture = await Fixture.create({
      broker: cluster.throughProxies,
      source: isrOfOne,
      changelog: isrOfOne,
    })
    const { source, changelog, storeId } = fixture
    await cluster.reassign(source, 0, [1, 2])
    await cluster.reassign(changelog, 0, [3])
    await fixture.produce([...orders(0, 300, 'first'), ...orders(200, 50, 'second'), { key: 'order-9', value: null }])
    const settings = {
      ...localPort,
      KAFKA_BROKERS: cluster.proxied,
      SOURCE_TOPIC: source,
      CHANGELOG_TOPIC: changelog,
      STORE_ID: storeId,
    }
    const latchkey = await LatchkeyProcess.start({ settings })
    try {
      const answers = async (...keys: string[]) =>
        Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await answerOf(latchkey, storeId, key)])))
      await latchkey.until('it is ready', () => latchkey.isReady())
      const held = holdFetchesFromStart(cluster, [1, 2])
      await cluster.loseTail(source, 0, async () => {
        await fixture.produce([
          ...orders(100, 20, 'lost'),
          ...orders(5_000, 10, 'lost'),
          { key: 'order-7', value: null },
        ])
        const end = 351 + 31
        await until('it has read that', async () => (await latchkey.status(storeId))?.details[0]?.position === end)
        await latchkey.get(`/flush-store/${storeId}`, { method: 'POST' })
        expect(await answers('order-100', 'order-5000')).toEqual({ 'order-100': 'lost 100', 'order-5000': 'lost 5000' })
      })
      await latchkey.until('it reads the source from its start', () => held.count > 0)
      const lost = '503 rebuilding'
      expect(await answers('order-100', 'order-119', 'order-5000', 'order-7', 'order-9', 'nowhere')).toEqual({
        'order-100': lost,
        'order-119': lost,
        'order-5000': lost,
        'order-7': lost,
        // The store has not noticed yet.
        'order-9': lost,
        nowhere: lost,
      })
      expect(await answers('order-0', 'order-99', 'order-120', 'order-200', 'order-299')).toEqual({
        'order-0': 'first 0',
        'order-99': 'first 99',
        'order-120': 'first 120',
        'order-200': 'second 200',
        'order-299': 'first 299',
      })
      expect((await latchkey.status(storeId))?.details[0]?.state).toBe('rebuilding')
      held.release()
      await latchkey.until('it has read it again', () => latchkey.stderr.includes('partition 0: read again'))
      await latchkey.get(`/flush-store/${storeId}`, { method: 'POST' })
      expect(await answers('order-100', 'order-7', 'order-0', 'order-200', 'order-5000', 'order-9', 'nowhere')).toEqual(
        {
          'order-100': 'first 100',
          'order-7': 'first 7',
          'order-0': 'first 0',
          'order-200': 'second 200',
          'order-5000': '404 key_not_found',
          'order-9': '404 key_not_found',
          nowhere: '404 key_not_found',
        },
      )
    } finally {
      await latchkey.close()
    }
  },
  testTimeoutMs,
)
