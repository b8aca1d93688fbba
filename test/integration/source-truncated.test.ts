/** An unclean leader election loses records of the source that a running store has read, and others take their offsets. */
import { afterEach, expect, test } from 'bun:test'
import { healCluster, sharedCluster } from '../kafka/index.ts'
import { until } from '../until.ts'
import { Fixture } from './support/fixture.ts'

afterEach(healCluster)

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

async function truncated(settings: Parameters<Fixture['openLogged']>[0] = {}) {
  const cluster = await sharedCluster()
  const isrOfOne = { 'min.insync.replicas': '1' }
  const fixture = await Fixture.create({ broker: cluster, source: isrOfOne, changelog: isrOfOne })
  await cluster.reassign(fixture.source, 0, [1, 2])
  await cluster.reassign(fixture.changelog, 0, [3])
  const store = fixture.openLogged(settings)
  await fixture.produce([...orders(0, 500, 'first'), ...orders(200, 100, 'second'), { key: 'order-9', value: null }])
  await fixture.quiet(store)
  const lost = await cluster.loseTail(fixture.source, 0, async () => {
    await fixture.produce(tail)
    await fixture.quiet(store)
  })
  expect(lost.end - lost.start).toBe(tail.length)
  return { fixture, store }
}

test.each([
  { what: 'nothing', taken: [] },
  { what: 'fewer records', taken: orders(300, 10, 'instead') },
  { what: 'more records', taken: [...orders(300, 200, 'instead'), { key: 'order-10', value: null }] },
])(
  'store, changelog and source are equal after the source has lost its tail and $what took its place',
  async ({ taken }) => {
    const { fixture, store } = await truncated()
    await using _ = fixture
    if (taken.length > 0) await fixture.produce(taken)
    await until('it has read it again', () => fixture.told('partition 0: read again'))
    await fixture.quiet(store)
    expect(fixture.told(`the source lost ${tail.length} records that had been read`)).toBeTrue()
    expect(fixture.told('48 keys deleted, to be read again')).toBeTrue()
    await fixture.produce(orders(400, 1, 'last'))
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    await store.close()

    fixture.lines.length = 0
    const again = fixture.openLogged()
    await fixture.quiet(again)
    await fixture.expectConverged(again)
    expect(fixture.told('rebuilding')).toBeFalse()
  },
  testTimeoutMs,
)
