/** The handle of a store: its states, and what it answers in each. */
import { expect, test } from 'bun:test'
import type { StoreState } from '../../lib/store-protocol/status.ts'
import { Fixture } from '../support/store/fixture.ts'
import { until } from '../support/until.ts'

test('a store goes through its states in order, and answers lookups only while it runs', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  await fixture.produce([{ key: 'a', value: '1' }])
  const store = fixture.open()
  const states: StoreState[] = [store.state]
  store.onState((state) => states.push(state))
  const refusal = () => {
    try {
      void store.get(Buffer.from('a'))
      return undefined
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(refusal()).toBe('recovering')
  expect(store.status()).toMatchObject({ state: 'starting', details: [], recovery: null })
  expect(store.sampleKey()).toBeUndefined()
  await fixture.quiet(store)
  expect(refusal()).toBeUndefined()
  await until('a key is known', () => store.sampleKey() !== undefined)
  expect(Buffer.from(store.sampleKey()!).toString()).toBe('a')
  await store.close()
  expect(refusal()).toBe('stopping')
  expect(states).toEqual(['starting', 'recovering', 'running', 'stopping'])
})

test('a lookup returns the caller’s own copy of a value', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce([{ key: 'a', value: 'old', timestamp: '1700000000000' }])
  const store = fixture.open()
  await fixture.quiet(store)
  const found = (await store.get(Buffer.from('a')))!
  expect(found).toMatchObject({ partition: 0, offset: 0, timestamp: 1_700_000_000_000 })
  found.value.fill(0)
  expect(await fixture.value(store, 'a')).toBe('old')
  await fixture.produce([{ key: 'a', value: 'new' }])
  await fixture.quiet(store)
  expect(Buffer.from(found.value).toString()).toBe('\0\0\0')
  expect(await store.get(Buffer.from('missing'))).toBeUndefined()
})

test('a store is closed at once, and twice is harmless, when it has not begun yet', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open()
  await Promise.all([store.close(), store.close()])
  expect(store.state).toBe('stopping')
  await store.close()
})

test('a store can be closed while no broker answers', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open({ kafkaBrokers: [{ host: '127.0.0.1', port: 1 }] })
  await until('it has trouble', () => store.status().reason !== undefined)
  expect(store.status().reason).toContain('127.0.0.1:1')
  expect(store.state).toBe('starting')
  await store.close()
})

test('a store opened again in the same process has what the closed one had', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(Array.from({ length: 1000 }, (_, i) => ({ key: `key-${i % 100}`, value: `value-${i}` })))
  for (let start = 0; start < 5; start++) await fixture.startAndStop()
})

test('lookups are answered while records stream in, each with a value that was written', async () => {
  await using fixture = await Fixture.create({ partitions: 2 })
  const store = fixture.open({ autoFlushCount: 50 })
  await fixture.quiet(store)
  let written = 0
  const writing = (async () => {
    for (let round = 0; round < 10; round++) {
      await fixture.produce(
        Array.from({ length: 200 }, (_, i) => ({ partition: i % 2, key: `key-${i}`, value: `${round}` })),
      )
      written = round
    }
  })()
  const last = new Map<string, number>()
  let looked = 0
  await until('the last round is visible', async () => {
    for (let i = 0; i < 200; i += 7) {
      const value = Number((await fixture.value(store, `key-${i}`)) ?? -1)
      expect(value).toBeGreaterThanOrEqual(last.get(`key-${i}`) ?? -1)
      last.set(`key-${i}`, value)
      looked++
    }
    return last.get('key-196') === 9
  })
  await writing
  expect(written).toBe(9)
  expect(looked).toBeGreaterThan(29)
})

test('flushes beyond a bound are refused while those before them still wait', async () => {
  await using fixture = await Fixture.create()
  const store = fixture.open()
  await fixture.quiet(store)
  // Sent in one go: none of them can be answered before the last is asked.
  const flushes = await Promise.allSettled(Array.from({ length: 1_001 }, () => store.flush()))
  const refused = flushes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(['flush_timed_out'])
})
