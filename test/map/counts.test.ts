/** The number of entries that the published side shows. */
import { expect, test } from 'bun:test'
import { type Reader, readTogether } from '../../lib/map/index.ts'
import { createFixture } from '../support/map/map-pair.ts'

function createCounting(options: Parameters<typeof createFixture>[0] = {}) {
  const fixture = createFixture(options)
  const reader = fixture.readers.acquire() as Reader
  return { ...fixture, count: () => readTogether([reader], () => reader.count()) }
}

test('a publish shows the number of entries that were there at its call', async () => {
  const { map, put, openAll, count } = createCounting({ partitions: [3, 1], partitionCount: 4 })
  await openAll()
  expect(count()).toBe(0)
  put(3, 'a', 'x')
  put(1, 'b', 'x')
  const publish = map.publish()
  put(3, 'c', 'x')
  await publish
  expect(count()).toBe(2)
  put(1, 'b', null)
  await map.publish()
  expect(count()).toBe(2)
})

test('entries of a partition in bulk loading count once it is open', async () => {
  const { map, put, count } = createCounting({ partitions: [0, 1], partitionCount: 2 })
  put(0, 'a', 'x')
  put(1, 'b', 'x')
  await map.publish()
  expect(count()).toBe(0)
  map.open(0)
  await map.publish()
  expect(count()).toBe(1)
})

test('the number of entries stays when the map is cleaned', async () => {
  const { map, put, openAll, count } = createCounting()
  await openAll()
  const before = new Int32Array(map.shared.control)[0]!
  const rounds = 50
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < 40; i++) {
      const name = i % 3 === 0 ? 'stays' : 'key'
      put(0, `${name} ${i * (round + 1)}`, 'x'.repeat(100))
    }
    for (let i = 0; i < 40; i++) put(0, `key ${i * (round + 1)}`, null)
    await map.publish()
    expect(count()).toBe(map.stats(0).entries)
  }
  // Otherwise nothing was cleaned.
  expect(new Int32Array(map.shared.control)[0]! - before).toBeGreaterThan(rounds)
})
