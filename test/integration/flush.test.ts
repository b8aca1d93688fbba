import { expect, test } from 'bun:test'
import { Fixture } from '../support/store/fixture.ts'
import { fold } from '../support/store/topic-log.ts'
import { until } from '../support/until.ts'

/** Flushes only when asked. */
const never = { autoFlushCount: 1_000_000, autoFlushSeconds: 3600 }

test('records are in the changelog but invisible until a flush, which returns how many it made visible', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce([{ key: 'old', value: 'old' }])
  const store = fixture.open(never)
  await fixture.quiet(store)

  await fixture.produce([
    { key: 'old', value: 'new' },
    { key: 'a', value: '1' },
    { key: 'a', value: '2' },
    { key: 'b', value: '1', partition: 1 },
    { key: 'old', value: null },
  ])
  await until('all is acknowledged', () => store.status().details.every(({ lag }) => lag === 0))
  await until('all is in the changelog', async () => (await fixture.readChangelog()).records.length === 6)
  const before = await Promise.all(['old', 'a', 'b'].map((key) => fixture.value(store, key)))
  expect(before).toEqual(['old', undefined, undefined])
  await until('all waits for a flush', () => store.stats.count('oplogLength') === 5)

  expect(await store.flush()).toBe(5)
  const after = await Promise.all(['old', 'a', 'b'].map((key) => fixture.value(store, key)))
  expect(after).toEqual([undefined, '2', '1'])
  expect(await store.flush()).toBe(0)
  await fixture.expectConverged(store)
})

test('a flush makes visible what was consumed before it when it is asked for at once', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(never)
  await fixture.quiet(store)
  await fixture.produce(Array.from({ length: 5000 }, (_, i) => ({ key: `key-${i}`, value: 'v'.repeat(100) })))
  await until('it consumes', () => store.stats.count('recordsConsumed') > 0)
  const flushed = await Promise.all([store.flush(), store.flush(), store.flush()])
  expect(Math.max(...flushed)).toBeGreaterThan(0)
  await fixture.quiet(store)
  await fixture.expectConverged(store)
})

test('every value that a lookup shows is in the changelog already', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open({ autoFlushCount: 1, autoFlushSeconds: 0.01 })
  await fixture.quiet(store)
  for (let round = 0; round < 10; round++) {
    await fixture.produce([{ key: 'counter', value: `${round}` }])
    await until('it is visible', async () => (await fixture.value(store, 'counter')) === `${round}`)
    expect(fold((await fixture.readChangelog()).records).get('counter')).toMatchObject({
      value: `${round}`,
      src: round,
    })
  }
})

test.each([
  ['its count is reached', { autoFlushCount: 3, autoFlushSeconds: 3600 }],
  ['its seconds have passed', { autoFlushCount: 1_000_000, autoFlushSeconds: 0.05 }],
])('a store flushes by itself when %s', async (_, settings) => {
  await using fixture = await Fixture.create()
  const store = fixture.open(settings)
  await fixture.quiet(store)
  await fixture.produce(['a', 'b', 'c'].map((key) => ({ key, value: key })))
  await until('it is visible', async () => (await fixture.value(store, 'c')) === 'c')
})

test('a flush is refused while the store recovers, and rejected or done when it closes', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(never)
  expect(await store.flush().catch((error: unknown) => error)).toMatchObject({ code: 'recovering' })
  await fixture.quiet(store)
  await store.close()
  expect(await store.flush().catch((error: unknown) => error)).toMatchObject({ code: 'stopping' })
})

test('a store makes visible, commits and keeps all it has consumed when it is closed', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open(never)
  await fixture.quiet(store)
  await fixture.produce(Array.from({ length: 100 }, (_, i) => ({ key: `key-${i}`, value: `value-${i}` })))
  await until('it consumes', () => store.stats.count('recordsConsumed') > 0)
  const consumed = store.stats.count('recordsConsumed')
  await store.close()
  expect((await fixture.committed()).get(0)).toBeGreaterThanOrEqual(consumed)
  const again = fixture.open()
  await fixture.quiet(again)
  await fixture.expectConverged(again)
  expect(again.stats.count('recordsRecovered')).toBeGreaterThanOrEqual(consumed)
})
