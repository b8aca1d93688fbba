/** An unclean leader election loses records of the source that a running store has read, and others take their offsets. */
import { afterEach, expect, spyOn, test } from 'bun:test'
import type { Message } from 'kafkajs'
import { KafkaClient } from '../../lib/kafka/client.ts'
import { healCluster, healTimeoutMs, sharedCluster } from '../support/kafka/index.ts'
import { Fixture } from '../support/store/fixture.ts'

afterEach(healCluster, healTimeoutMs)

const testTimeoutMs = 180_000

function orders(from: number, count: number, value: string) {
  return Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: `${value} ${from + i}` }))
}

/** Changed, deleted and new keys. */
const tail = [
  ...orders(100, 30, 'lost'),
  { key: 'order-7', value: null },
  { key: 'order-8', value: null },
  ...orders(5_000, 18, 'lost'),
]

async function prepared() {
  const cluster = await sharedCluster()
  const isrOfOne = { 'min.insync.replicas': '1' }
  const fixture = await Fixture.create({ broker: cluster, source: isrOfOne, changelog: isrOfOne })
  await cluster.reassign(fixture.source, 0, [1, 2])
  await cluster.reassign(fixture.changelog, 0, [3])
  await fixture.produce([...orders(0, 500, 'first'), ...orders(200, 100, 'second'), { key: 'order-9', value: null }])
  return { cluster, fixture }
}

/** Keeps stores of this process from fetching until it is released: by then the log may have grown past where they were. */
function holdFetches(): () => void {
  const released = Promise.withResolvers<void>()
  const send = KafkaClient.prototype.send
  const spy = spyOn(KafkaClient.prototype, 'send').mockImplementation(async function (
    this: KafkaClient,
    ...args: Parameters<typeof send>
  ) {
    if (args[1].apiName === 'Fetch') await released.promise
    return send.apply(this, args)
  })
  return () => {
    spy.mockRestore()
    released.resolve()
  }
}

/** Loses `tail` once a store has read it. @param taken what takes its place before the store fetches again */
async function truncated(taken: readonly Message[] = []) {
  const { cluster, fixture } = await prepared()
  const store = fixture.openLogged()
  await fixture.quiet(store)
  let release = () => {}
  const lost = await cluster.loseTail(fixture.source, 0, async () => {
    await fixture.produce(tail)
    await fixture.quiet(store)
    release = taken.length === 0 ? release : holdFetches()
  })
  if (taken.length > 0) await fixture.produce(taken)
  release()
  expect(lost.end - lost.start).toBe(tail.length)
  return { fixture, store }
}

test.each([
  { what: 'nothing', taken: [], isBefore: false },
  { what: 'fewer records', taken: orders(300, 10, 'instead'), isBefore: false },
  { what: 'more records', taken: [...orders(300, 200, 'instead'), { key: 'order-10', value: null }], isBefore: false },
  { what: 'more records, before the store fetches,', taken: orders(300, 200, 'instead'), isBefore: true },
])(
  'store, changelog and source are equal after the source has lost its tail and $what took its place',
  async ({ taken, isBefore }) => {
    const { fixture, store } = await truncated(isBefore ? taken : [])
    await using _ = fixture
    if (taken.length > 0 && !isBefore) await fixture.produce(taken)
    await fixture.logged('partition 0: read again')
    await fixture.quiet(store)
    await fixture.logged(`the source lost ${tail.length} records that had been read`)
    await fixture.logged('48 keys deleted, to be read again')
    await fixture.produce(orders(400, 1, 'last'))
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await store.close()

    fixture.lines.length = 0
    const again = fixture.openLogged()
    await fixture.quiet(again)
    await fixture.expectConverged(again)
    expect(fixture.hasLogged('rebuilding')).toBeFalse()
  },
  testTimeoutMs,
)

test(
  'a partition whose values depend on earlier ones is read again completely',
  async () => {
    const module = new URL('../examples/count-updates.ts', import.meta.url).href
    const json = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: JSON.stringify({ n: i }) }))
    const cluster = await sharedCluster()
    const isrOfOne = { 'min.insync.replicas': '1' }
    await using fixture = await Fixture.create({ broker: cluster, source: isrOfOne, changelog: isrOfOne })
    await cluster.reassign(fixture.source, 0, [1, 2])
    await cluster.reassign(fixture.changelog, 0, [3])
    const store = fixture.openLogged({ module })
    await fixture.produce([...json(0, 50), ...json(0, 20)])
    await fixture.quiet(store)
    await cluster.loseTail(fixture.source, 0, async () => {
      await fixture.produce(json(10, 20))
      await fixture.quiet(store)
    })
    await fixture.logged('partition 0: read again')
    await fixture.logged('50 keys deleted, to be read again')
    await fixture.quiet(store)
    const updates = async (key: string) =>
      (JSON.parse((await fixture.value(store, key))!) as { updates: number }).updates
    // Counted twice would be 2 or more.
    expect([await updates('order-15'), await updates('order-25'), await updates('order-45')]).toEqual([1, 0, 0])
  },
  testTimeoutMs,
)

test(
  'a store that was down while the source lost its tail is right again, even if more records have replaced it',
  async () => {
    const { cluster, fixture } = await prepared()
    await using _ = fixture
    const timestamp = String(Date.now())
    // The last record is the same as before in all that is compared, its value aside.
    const last = (value: string) => ({ key: 'order-0', value, timestamp })
    await cluster.loseTail(fixture.source, 0, async () => {
      await fixture.produce([...tail, last('lost')])
      await fixture.startAndStop()
    })
    await fixture.produce([...orders(300, tail.length, 'instead'), last('instead'), ...orders(0, 3, 'more')])
    const store = fixture.openLogged()
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await fixture.logged('are not those that were read up to offset')
  },
  testTimeoutMs,
)
