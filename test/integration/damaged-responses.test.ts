/** A network that damages what brokers send, for a while: nothing is skipped, and no store ends. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { api } from '../support/fault-run/wire.ts'
import { type KafkaBroker, startKafka } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

const needle = 'a value that comes damaged'

let broker: KafkaBroker

beforeAll(async () => {
  broker = await startKafka({ proxy: true })
})

afterAll(() => broker.close())

/** From now on answers to Fetch that hold the value are damaged in it, so many times. @returns how many more will be */
function damage(times: number): () => number {
  let left = times
  broker.proxy!.onResponse = ({ request, frame }) => {
    const at = frame.indexOf(needle)
    if (request?.apiKey !== api.fetch || at < 0 || left === 0) return
    left--
    const changed = Buffer.from(frame)
    changed.writeUInt8(changed.readUInt8(at) ^ 0x01, at)
    return changed
  }
  return () => left
}

test('a store has all of its source, changelog and replicas after damaged responses', async () => {
  await using fixture = await Fixture.create({ broker })
  await fixture.produce([{ key: 'a', value: '1' }])
  await fixture.produce([{ key: 'b', value: needle }])
  await fixture.produce([{ key: 'c', value: '3' }])

  const isRead = damage(6)
  const store = fixture.openLogged()
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect([isRead(), store.stats.count('skippedCorruptBatch')]).toEqual([0, 0])
  await store.close()
  // It took three seconds at least.
  await fixture.logged('CRC32C')

  const isRecovered = damage(4)
  const recovered = fixture.openLogged()
  await fixture.quiet(recovered)
  await fixture.expectConverged(recovered)
  expect(isRecovered()).toBe(0)

  const isCopied = damage(4)
  const replica = fixture.openLogged({ storeId: `${fixture.storeId}-replica`, useReplicaOnly: true })
  await until('it is copied', () => replica.state === 'failed' || replica.status().details[0]?.state === 'running')
  expect(await fixture.value(replica, 'b')).toBe(needle)
  expect(isCopied()).toBe(0)
}, 60_000)
