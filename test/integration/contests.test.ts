/** Another writer writes to the changelog of a running store. */
import { expect, test } from 'bun:test'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import type { Store } from '../../lib/store/store.ts'
import { headerOf } from '../support/kafka/record-batch/raw-batch.ts'
import { Fixture } from '../support/store/fixture.ts'
import { fold, type LogRecord } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

const src = (offset: number) => ({ src: headerOf(offset) })

async function last(fixture: Fixture, key: string): Promise<LogRecord | undefined> {
  return fold((await fixture.readChangelog()).records).get(key)
}

/** A store that has a = new (2), had b, and never had c. */
async function start(fixture: Fixture, settings: Partial<StoreConfig> = {}): Promise<Store> {
  await fixture.produce([
    { key: 'a', value: 'old' },
    { key: 'b', value: 'old' },
    { key: 'a', value: 'new' },
    { key: 'b', value: null },
  ])
  const store = fixture.openLogged(settings)
  await fixture.quiet(store)
  return store
}

function unmet(store: Store): string[] {
  const conditions = store.status().conditions.filter(({ ok }) => !ok)
  return conditions.map(({ name }) => name)
}

for (const fencing of [true, false]) {
  const where = fencing ? '' : ' without fencing'
  test(`an idle store${where} writes again the values that another writer replaced with older ones, and only those`, async () => {
    await using fixture = await Fixture.create()
    const store = await start(fixture, { fencing })
    await fixture.cluster.produce(fixture.changelog, [
      { key: 'a', value: 'old', headers: src(0) },
      { key: 'b', value: 'old', headers: src(1) },
      { key: 'c', value: 'foreign' },
      { key: 'd', value: 'ahead', headers: src(9) },
    ])
    await until('a is right', async () => (await last(fixture, 'a'))?.value === 'new')
    await until('b and c are deleted again', async () => {
      return (await last(fixture, 'b'))?.value === null && (await last(fixture, 'c'))?.value === null
    })
    expect([(await last(fixture, 'a'))?.src, (await last(fixture, 'b'))?.aft]).toEqual([2, 3])
    // Without fencing another store may be ahead.
    if (!fencing) expect((await last(fixture, 'd'))?.value).toBe('ahead')
    else await until('d is deleted again', async () => (await last(fixture, 'd'))?.value === null)
    await fixture.logged(`wrote ${fencing ? 4 : 3} keys again that another writer had replaced`)
    expect(store.stats.count('foreignWrites')).toBe(1)
    expect(unmet(store)).toEqual([])
    const { batches } = await fixture.readChangelog()
    const epochs = new Set(batches.filter(({ kind }) => kind === 'control').map(({ producerEpoch }) => producerEpoch))
    expect(epochs.size).toBe(fencing ? 2 : 0)
  })
}

test('a writing store repairs what was written between its records', async () => {
  await using fixture = await Fixture.create()
  const store = await start(fixture)
  await fixture.cluster.produce(fixture.changelog, [{ key: 'a', value: 'old', headers: src(0) }])
  await fixture.produce([{ key: 'e', value: 'next' }])
  await until('a is right', async () => (await last(fixture, 'a'))?.value === 'new')
  await fixture.quiet(store)
  await fixture.expectConverged(store)
  expect(unmet(store)).toEqual([])
})

test('a store stops repairing after the third time, reports that it is contested, and is not ready', async () => {
  await using fixture = await Fixture.create()
  const store = await start(fixture)
  for (let round = 0; round < 3; round++) {
    await fixture.cluster.produce(fixture.changelog, [{ key: 'a', value: `old ${round}`, headers: src(0) }])
    await until('a is right', async () => (await last(fixture, 'a'))?.value === 'new')
    expect(unmet(store)).toEqual([])
  }
  await fixture.cluster.produce(fixture.changelog, [{ key: 'a', value: 'again', headers: src(0) }])
  await until('it is contested', () => unmet(store).includes('not_contested'))
  expect(store.status().reason).toContain('partition 0: contested: another writer keeps replacing')
  expect(store.status().details[0]!.state).toBe('contested')
  await fixture.logged('contested')
  // It continues with its own records, and answers.
  await fixture.produce([{ key: 'f', value: 'more' }])
  await until('f is there', async () => (await fixture.value(store, 'f')) === 'more')
  expect(await fixture.value(store, 'a')).toBe('new')
  expect((await last(fixture, 'a'))?.value).toBe('again')
})

for (const name of ['src', 'aft']) {
  test(`a record of another writer with ${name} ahead of the store skips nothing of the source, and does not reappear`, async () => {
    await using fixture = await Fixture.create()
    const store = await start(fixture)
    const headers = { [name]: headerOf(6) }
    await fixture.cluster.produce(fixture.changelog, [
      { key: 'a', value: 'forged', headers },
      { key: 'd', value: 'forged', headers },
    ])
    await fixture.logged('wrote 2 keys again that another writer had replaced')
    await store.close()
    await fixture.produce(Array.from({ length: 5 }, (_, index) => ({ key: `e${index}`, value: 'next' })))
    // The next start finds some more.
    await fixture.cluster.produce(fixture.changelog, [{ key: 'a', value: 'forged', headers: { [name]: headerOf(7) } }])
    for (let round = 0; round < 2; round++) {
      const again = fixture.openLogged()
      await fixture.quiet(again)
      await until('a is right', async () => (await last(fixture, 'a'))?.value === 'new')
      await fixture.expectConverged(again)
      await again.close()
    }
    expect(fixture.hasLogged('rebuilding')).toBe(false)
  })
}
