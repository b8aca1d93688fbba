/** Two instances on the same partitions. */
import { expect, test } from 'bun:test'
import type { Store } from '../../lib/store/store.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

function unmet(store: Store): string[] {
  return store
    .status()
    .conditions.filter(({ ok }) => !ok)
    .map(({ name }) => name)
}

test('the later store fences the earlier one, which writes no more, still serves, is not ready and reports it', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce([
    { key: 'a', value: 'old' },
    { key: 'b', value: 'old', partition: 1 },
  ])
  const earlier = fixture.openLogged()
  await fixture.quiet(earlier)
  const later = fixture.open()
  await fixture.quiet(later)
  expect(unmet(earlier)).toEqual([])

  await fixture.produce([{ key: 'a', value: 'new' }])
  await until('the earlier one has noticed', () => unmet(earlier).length > 0)
  await fixture.quiet(later)
  await fixture.expectConverged(later)
  expect(await fixture.value(later, 'a')).toBe('new')

  expect(unmet(earlier)).toEqual(['not_fenced'])
  expect(earlier.state).toBe('running')
  const reason = `another instance of store ${fixture.storeId} has taken partition 0`
  expect(earlier.status().reason).toContain(reason)
  await fixture.logged(reason)
  expect(fixture.lines.filter((line) => line.startsWith('error'))).toEqual([expect.stringContaining(reason)])
  expect(earlier.status().details.map(({ state }) => state)).toEqual(['fenced', 'running'])
  expect(await fixture.value(earlier, 'a')).toBe('old')
  expect(await earlier.flush()).toBe(0)

  const { records, batches } = await fixture.readChangelog()
  expect(records.filter(({ key }) => key === 'a').map(({ value }) => value)).toEqual(['old', 'new'])
  const epochs = batches.filter(({ partition }) => partition === 0).map(({ producerEpoch }) => producerEpoch)
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))

  // What it had before it stays served, and what it commits does not fall behind the other's.
  await fixture.produce([{ key: 'b', value: 'new', partition: 1 }])
  await until('it has lost all', () => earlier.status().details.every(({ state }) => state === 'fenced'))
  await fixture.quiet(later)
  await earlier.close()
  await later.close()
  expect(await fixture.committed()).toEqual(
    new Map([
      [0, 2],
      [1, 2],
    ]),
  )
  await fixture.startAndStop()
})

test('each store takes over, and all earlier ones are fenced, when several are started one after the other', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: '1' }])
  const stores: Store[] = []
  for (let start = 0; start < 3; start++) {
    const store = fixture.open()
    await fixture.quiet(store)
    stores.push(store)
    await fixture.produce([{ key: 'a', value: `${start}` }])
    await fixture.quiet(store)
    await until('all earlier ones are fenced', () =>
      stores.slice(0, -1).every((other) => unmet(other).includes('not_fenced')),
    )
  }
  await fixture.expectConverged(stores.at(-1)!)
})

test('a store with other partitions of the same store id fences no other store', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const stores = [fixture.open({ partitions: [0] }), fixture.open({ partitions: [1] })]
  await fixture.produce([
    { key: 'a', value: '1' },
    { key: 'b', value: '2', partition: 1 },
  ])
  for (const store of stores) await fixture.quiet(store)
  expect(stores.map(unmet)).toEqual([[], []])
  expect(await fixture.value(stores[0]!, 'a')).toBe('1')
  expect(await fixture.value(stores[1]!, 'b')).toBe('2')
})

test('stores without fencing both write, and each counts and reports the other', async () => {
  await using fixture = await Fixture.create()
  const stores = [fixture.openLogged({ fencing: false }), fixture.openLogged({ fencing: false })]
  for (const store of stores) await fixture.quiet(store)
  for (let round = 0; stores.some((store) => store.stats.count('foreignWrites') === 0); round++) {
    await fixture.produce([{ key: 'a', value: `${round}` }])
    for (const store of stores) await fixture.quiet(store)
  }
  for (const store of stores) {
    await fixture.expectConverged(store)
    expect(unmet(store)).toEqual([])
    const warning = 'another writer has appended before offset'
    await until('its status reports it', () => store.status().reason?.includes(warning) === true)
  }
  await fixture.logged('partition 0: another writer has appended before offset')
})

test('a store with fencing counts and reports a foreign writer without an epoch', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open()
  await fixture.produce([{ key: 'a', value: '1' }])
  await fixture.quiet(store)
  expect(store.stats.count('foreignWrites')).toBe(0)
  await fixture.cluster.produce(fixture.changelog, [{ key: 'a', value: 'foreign' }])
  await fixture.produce([{ key: 'a', value: '2' }])
  await fixture.quiet(store)
  await until('it is counted', () => store.stats.count('foreignWrites') === 1)
  expect(await fixture.value(store, 'a')).toBe('2')
  await fixture.expectConverged(store)
})
