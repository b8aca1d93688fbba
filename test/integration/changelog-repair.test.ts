/** The changelog loses acknowledged records while the store runs: they are written again from memory, without an end of the store and without its source. */
import { expect, test } from 'bun:test'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import type { Store } from '../../lib/store/store.ts'
import { cutChangelog } from '../support/store/cut-changelog.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

function orders(from: number, count: number, value = 'value') {
  return Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: `${value} ${from + i}` }))
}

/** A running store with records 0 to `count`, acknowledged and committed. */
async function running(fixture: Fixture, count: number, settings: Partial<StoreConfig> = {}): Promise<Store> {
  const store = fixture.openLogged(settings)
  await fixture.produce(orders(0, count))
  await fixture.quiet(store)
  await until('it has committed', async () => (await fixture.committed()).get(0) === count)
  return store
}

/** Store, changelog and source are equal, now and after a restart that has nothing to heal. */
async function expectRepaired(fixture: Fixture, store: Store, settings: Partial<StoreConfig> = {}): Promise<void> {
  await fixture.quiet(store)
  await until('the partition runs', () => store.status().details.every(({ state }) => state === 'running'))
  await fixture.expectConverged(store)
  await fixture.logged('records that were acknowledged are missing')
  await fixture.logged('partition 0: repaired')
  expect(store.status().reason).toBeUndefined()
  const consumed = store.stats.count('recordsConsumed')
  await store.close()
  fixture.lines.length = 0
  const again = fixture.openLogged(settings)
  await fixture.quiet(again)
  expect(fixture.hasLogged('rebuilding')).toBeFalse()
  await fixture.expectConverged(again)
  expect(again.stats.count('recordsConsumed')).toBeLessThan(consumed)
}

test.each([
  ['small', 5],
  ['so large that the log is longer afterwards than before', 1_000],
])('a store repairs its changelog when that was recreated under it and the next write is %s', async (_, next) => {
  await using fixture = await Fixture.create()
  const store = await running(fixture, 500)
  await cutChangelog(fixture, 0)
  await fixture.produce(orders(500, next))
  await expectRepaired(fixture, store)
})

test.each([1, 2, 300])('a store repairs its changelog when that has lost %d records', async (lost) => {
  await using fixture = await Fixture.create()
  const store = await running(fixture, 500)
  const { records } = await fixture.readChangelog()
  await cutChangelog(fixture, records.length - lost)
  await fixture.produce(orders(450, 1, 'newer'))
  await expectRepaired(fixture, store)
})

test('a store repairs its changelog when tombstones were lost', async () => {
  await using fixture = await Fixture.create()
  const store = await running(fixture, 100)
  await fixture.produce(['order-1', 'order-2', 'order-99'].map((key) => ({ key, value: null })))
  await fixture.quiet(store)
  await cutChangelog(fixture, 100)
  await fixture.produce(orders(200, 1))
  await expectRepaired(fixture, store)
  expect(fixture.lines).not.toBeEmpty()
})

test.each<[string, Partial<StoreConfig>]>([
  ['without fencing', { fencing: false }],
  ['while records keep coming', {}],
])('a store repairs its changelog %s', async (_, settings) => {
  await using fixture = await Fixture.create()
  const store = await running(fixture, 2_000, settings)
  await cutChangelog(fixture, 1_000)
  for (let from = 2_000; from < 6_000; from += 500) await fixture.produce(orders(from % 3_000, 500, `round ${from}`))
  await expectRepaired(fixture, store, settings)
})

test('a store answers from memory while its changelog is repaired, and never with an older value', async () => {
  await using fixture = await Fixture.create()
  const store = await running(fixture, 3_000)
  await cutChangelog(fixture, 0)
  await fixture.produce(orders(0, 1, 'newer'))
  let answers = 0
  await until('it is repaired', async () => {
    for (let i = 1; i < 3_000; i += 300) expect(await fixture.value(store, `order-${i}`)).toBe(`value ${i}`)
    answers++
    return fixture.hasLogged('partition 0: repaired')
  })
  expect(answers).toBeGreaterThan(0)
  await expectRepaired(fixture, store)
})
