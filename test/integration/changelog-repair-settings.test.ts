/** A changelog that loses records under stores of several kinds. */
import { expect, test } from 'bun:test'
import { decodeKeptHeaders } from '../../lib/store-protocol/header-prefix.ts'
import type { Store } from '../../lib/store/store.ts'
import { cutChangelog } from '../support/store/cut-changelog.ts'
import { Fixture } from '../support/store/fixture.ts'
import { differences, live } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

function orders(from: number, count: number, value = 'value') {
  return Array.from({ length: count }, (_, i) => ({ key: `order-${from + i}`, value: `${value} ${from + i}` }))
}

function isRepaired(fixture: Fixture): Promise<void> {
  return fixture.logged('partition 0: repaired')
}

async function valuesOf(fixture: Fixture, store: Store, keys: Iterable<string>): Promise<Map<string, string>> {
  const values = new Map<string, string>()
  for (const key of keys) {
    const value = await fixture.value(store, key)
    if (value !== undefined) values.set(key, value)
  }
  return values
}

test('a store repairs its changelog when there is nothing to write', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged()
  await fixture.produce(orders(0, 100))
  await fixture.quiet(store)
  await cutChangelog(fixture, 60)
  await isRepaired(fixture)
  await fixture.expectConverged(store)
  await store.close()
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(fixture.hasLogged('rebuilding')).toBeFalse()
})

test('a store repairs its changelog again when it loses records again', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged()
  await fixture.produce(orders(0, 400))
  await fixture.quiet(store)
  await cutChangelog(fixture, 100)
  await fixture.produce(orders(390, 20, 'second'))
  await isRepaired(fixture)
  fixture.lines.length = 0
  // The part that is left ends in the midst of what was repaired.
  await cutChangelog(fixture, 250)
  await fixture.produce([...orders(200, 20, 'third'), { key: 'order-5', value: null }])
  await isRepaired(fixture)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  await store.close()
  await fixture.startAndStop()
})

test('a repair writes what a program has written itself, and its deletions', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged()
  await fixture.produce(orders(0, 50))
  await fixture.quiet(store)
  const write = (key: string, value: string | null) =>
    store.write(Buffer.from(key), value === null ? null : Buffer.from(value))
  await Promise.all([write('own', 'mine'), write('order-3', 'mine, too'), write('order-4', null)])
  await fixture.quiet(store)
  await cutChangelog(fixture, 50)
  // These wait for the repair, and come after it.
  await Promise.all([write('own', 'later'), write('order-5', 'later'), fixture.produce(orders(6, 1, 'newer'))])
  await isRepaired(fixture)
  await fixture.quiet(store)
  const expected = new Map(orders(0, 50).map(({ key, value }) => [key, value]))
  expected.set('own', 'later').set('order-3', 'mine, too').set('order-5', 'later').set('order-6', 'newer 6')
  expected.delete('order-4')
  const keys = [...expected.keys(), 'order-4']
  expect(differences(expected, await valuesOf(fixture, store, keys))).toEqual([])
  expect(differences(expected, live((await fixture.readChangelog()).records))).toEqual([])
  await store.close()
  const again = fixture.openLogged()
  await fixture.quiet(again)
  expect(differences(expected, await valuesOf(fixture, again, keys))).toEqual([])
})

test('a repair writes kept headers', async () => {
  await using fixture = await Fixture.create()
  const keepHeaders = ['trace']
  const store = fixture.openLogged({ keepHeaders })
  await fixture.produce([{ key: 'a', value: '1', headers: { trace: '7f', other: 'no' } }, ...orders(0, 9)])
  await fixture.quiet(store)
  await cutChangelog(fixture, 0)
  await fixture.produce(orders(20, 1))
  await isRepaired(fixture)
  await store.close()
  const again = fixture.openLogged({ keepHeaders })
  await fixture.quiet(again)
  await fixture.expectConverged(again)
  const found = decodeKeptHeaders((await fixture.get(again, 'a'))!)
  expect(found.map(([name, value]) => `${name}=${Buffer.from(value).toString()}`)).toEqual(['trace=7f'])
})

test('a repair calls no callback again', async () => {
  await using fixture = await Fixture.create()
  const module = new URL('../support/store/modules/counting.ts', import.meta.url).href
  const store = fixture.openLogged({ module })
  const update = (n: number) => ({ key: 'a', value: JSON.stringify({ n }) })
  await fixture.produce([update(1), update(2), { key: 'b', value: '{"n":1}' }, update(3)])
  await fixture.quiet(store)
  const before = await fixture.value(store, 'a')
  await cutChangelog(fixture, 2)
  await fixture.produce([{ key: 'c', value: '{"n":1}' }])
  await isRepaired(fixture)
  await fixture.quiet(store)
  const changelog = live((await fixture.readChangelog()).records)
  expect([await fixture.value(store, 'a'), changelog.get('a')]).toEqual([before, before])
  expect([...changelog.keys()].toSorted()).toEqual(['a', 'b', 'c'])
})

test.each([
  ['some of', 200],
  ['all of', 0],
])('a processing only store reads the source again when its changelog has lost %s its records', async (_, kept) => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged({ useProcessingOnly: true })
  await fixture.produce([...orders(0, 300), { key: 'order-7', value: null }])
  await fixture.quiet(store)
  await cutChangelog(fixture, kept)
  await fixture.produce(orders(290, 20, 'newer'))
  await isRepaired(fixture)
  await fixture.quiet(store)
  const { records } = await fixture.readSource()
  expect(differences(live(records), live((await fixture.readChangelog()).records))).toEqual([])
  await until('it has committed', async () => (await fixture.committed()).get(0) === 321)
  await store.close()
  const holding = fixture.openLogged()
  await fixture.quiet(holding)
  await fixture.expectConverged(holding)
})

test('a replica converges when the changelog that it follows loses records and is repaired', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.openLogged()
  await fixture.produce([...orders(0, 300), ...orders(0, 5).map(({ key }) => ({ key, value: null }))])
  await fixture.quiet(store)
  const replica = fixture.openLogged({ useReplicaOnly: true })
  await fixture.quiet(replica)
  await cutChangelog(fixture, 150)
  await fixture.produce(orders(100, 500, 'newer'))
  await isRepaired(fixture)
  await fixture.quiet(store)
  const { ends } = await fixture.readChangelog()
  await until('the replica is at the end', () =>
    replica.status().details.every(({ partition, position, lag, state }) => {
      return position! >= ends.get(partition)! && lag === 0 && state === 'running'
    }),
  )
  await replica.flush()
  await fixture.expectConverged(replica)
})
