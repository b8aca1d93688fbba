/** What the published side shows besides entries: positions and the number of entries. */
import { expect, test } from 'bun:test'
import { type Reader, readTogether } from '../../lib/map/index.ts'
import { createFixture } from '../support/map/map-pair.ts'

function createShowing(options: Parameters<typeof createFixture>[0] = {}) {
  const fixture = createFixture(options)
  const reader = fixture.readers.acquire() as Reader
  const shown = (partition: number) =>
    readTogether([reader], () => {
      const figures = reader.figures(partition)
      return figures && [figures.changelogPosition, figures.sourcePosition, figures.entries]
    })
  return { ...fixture, shown }
}

test('a publish shows the positions and operations that were there at its call, together', async () => {
  const { map, put, openAll, shown } = createShowing()
  await openAll()
  expect(shown(0)).toEqual([-1, -1, 0])
  put(0, 'a', 'x')
  map.setPosition(0, 10, 100)
  const publish = map.publish()
  put(0, 'b', 'x')
  map.setPosition(0, 11, 101)
  await publish
  expect(shown(0)).toEqual([10, 100, 1])
  await map.publish()
  expect(shown(0)).toEqual([11, 101, 2])
})

test('a publish shows new positions without operations, and changes nothing when there are none', async () => {
  const { map, put, openAll, shown } = createShowing({ partitions: [3, 1], partitionCount: 4 })
  await openAll()
  put(3, 'a', 'x')
  map.setPosition(3, 5, 50)
  await map.publish()
  map.setPosition(1, 7, 70)
  expect(await map.publish()).toBe(0)
  expect([shown(3), shown(1), shown(0)]).toEqual([[5, 50, 1], [7, 70, 0], undefined])
  const exchanges = new Int32Array(map.shared.control)[0]
  map.setPosition(1, 7, 70)
  await map.publish()
  expect(new Int32Array(map.shared.control)[0]).toBe(exchanges)
})

test('positions of a partition in bulk loading are shown once it is open', async () => {
  const { map, put, shown } = createShowing({ partitions: [0, 1], partitionCount: 2 })
  put(0, 'a', 'x')
  map.setPosition(0, 1, 2)
  await map.publish()
  expect(shown(0)).toEqual([-1, -1, 0])
  map.open(0)
  await map.publish()
  expect([shown(0), shown(1)]).toEqual([
    [1, 2, 1],
    [-1, -1, 0],
  ])
})

test('positions and entries stay when the map is cleaned', async () => {
  const { map, put, openAll, shown } = createShowing()
  await openAll()
  let offset = 0
  const before = new Int32Array(map.shared.control)[0]!
  let publishes = 0
  for (let round = 0; round < 50; round++) {
    for (let i = 0; i < 40; i++) {
      const name = i % 3 === 0 ? 'stays' : 'key'
      put(0, `${name} ${i * (round + 1)}`, 'x'.repeat(100), offset++)
    }
    for (let i = 0; i < 40; i++) put(0, `key ${i * (round + 1)}`, null, offset++)
    map.setPosition(0, offset, 2 * offset)
    await map.publish()
    publishes++
    expect(shown(0)).toEqual([offset, 2 * offset, map.stats(0).entries])
  }
  // Otherwise nothing was cleaned.
  expect(new Int32Array(map.shared.control)[0]! - before).toBeGreaterThan(publishes)
})
