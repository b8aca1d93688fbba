/** KEEP_HEADERS: headers of source records that come with their values, from the changelog too. */
import { expect, test } from 'bun:test'
import { decodeKeptHeaders } from '../../lib/store-protocol/header-prefix.ts'
import type { Store } from '../../lib/store/store.ts'
import { Fixture } from '../support/store/fixture.ts'

async function headersOf(fixture: Fixture, store: Store, key: string): Promise<string[]> {
  const found = await fixture.get(store, key)
  return decodeKeptHeaders(found!).map(([name, value]) => `${name}=${Buffer.from(value).toString()}`)
}

const messages = [
  { key: 'a', value: '1', headers: { trace: '7f', 'x-one': '1', 'x-two': '2', other: 'no', src: 'theirs', aft: 'x' } },
  { key: 'b', value: '2' },
  { key: 'c', value: '3', headers: { trace: 'x'.repeat(8_192), 'x-one': '1' } },
  { key: 'd', value: '', headers: { trace: ['1', '2'] } },
  { key: 'e', value: 'gone', headers: { trace: '1' } },
  { key: 'e', value: null, headers: { trace: '2' } },
]
const expected = { a: ['trace=7f', 'x-one=1', 'x-two=2'], b: [], c: ['x-one=1'], d: ['trace=1', 'trace=2'] }

test('matching headers come with their value, after recovery and from a replica too, and values are unchanged', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages)
  const keepHeaders = ['trace', 'x-*', '*']
  const narrow = ['trace', 'x-*']
  for (let start = 0; start < 2; start++) {
    const store = fixture.openLogged({ keepHeaders: narrow })
    await fixture.quiet(store)
    await fixture.expectConverged(store)
    for (const [key, headers] of Object.entries(expected)) expect(await headersOf(fixture, store, key)).toEqual(headers)
    expect(store.stats.count('headersOmitted')).toBe(start === 0 ? 1 : 0)
    await store.close()
  }
  await fixture.logged('offset 2: 1 of its headers are not kept')
  const replica = fixture.open({ useReplicaOnly: true, keepHeaders })
  await fixture.quiet(replica)
  for (const [key, headers] of Object.entries(expected)) expect(await headersOf(fixture, replica, key)).toEqual(headers)
})

test('KEEP_HEADERS may change between starts', async () => {
  await using fixture = await Fixture.create()
  await fixture.produce(messages)
  const without = fixture.open()
  await fixture.quiet(without)
  expect(await headersOf(fixture, without, 'a')).toEqual([])
  await without.close()
  const later = [{ key: 'b', value: '4', headers: { trace: '8', 'x-one': '2' } }]
  await fixture.produce(later)
  const keepsAll = fixture.open({ keepHeaders: ['*'] })
  await fixture.quiet(keepsAll)
  await fixture.expectConverged(keepsAll)
  expect(await headersOf(fixture, keepsAll, 'a')).toEqual([])
  expect(await headersOf(fixture, keepsAll, 'b')).toEqual(['trace=8', 'x-one=2'])
  await keepsAll.close()
  const keepsOne = fixture.open({ keepHeaders: ['x-one'] })
  await fixture.quiet(keepsOne)
  expect(await headersOf(fixture, keepsOne, 'b')).toEqual(['x-one=2'])
  await keepsOne.close()
  await fixture.startAndStop()
})
