import { expect, test } from 'bun:test'
import { keysWithoutOffset, nextKeys } from '../../../lib/store-thread/repair/in-order.ts'
import { createFixture, createRandom } from '../../support/map/map-pair.ts'

test('nextKeys gives all keys above an offset in order, by so many at a time', async () => {
  const { map, put, openAll } = createFixture()
  const random = createRandom(7)
  const offsets = Array.from({ length: 2_000 }, (_, i) => 3 * i).toSorted(() => random(3) - 1)
  for (const offset of offsets) put(0, `key ${offset}`, 'v', offset)
  put(0, 'without', 'v')
  await openAll()
  const seen: number[] = []
  for (let above = 299; ;) {
    const keys = await nextKeys(map, 0, above, 150)
    if (keys.length === 0) break
    expect(keys.length).toBeLessThanOrEqual(150)
    for (const { key, offset } of keys) expect(Buffer.from(key).toString()).toBe(`key ${offset}`)
    seen.push(...keys.map(({ offset }) => offset))
    above = seen.at(-1)!
  }
  expect(seen).toEqual(Array.from({ length: 1_900 }, (_, i) => 300 + 3 * i))
})

test('nextKeys leaves out none of several keys with one offset', async () => {
  const { map, put, openAll } = createFixture()
  for (let i = 0; i < 50; i++) put(0, `key ${i}`, 'v', Math.floor(i / 25))
  await openAll()
  const first = await nextKeys(map, 0, -1, 10)
  expect([first.length, ...new Set(first.map(({ offset }) => offset))]).toEqual([25, 0])
  expect((await nextKeys(map, 0, 0, 10)).length).toBe(25)
  expect(await nextKeys(map, 0, 1, 10)).toEqual([])
})

test('keysWithoutOffset gives those alone', async () => {
  const { map, put, openAll } = createFixture()
  put(0, 'a', 'v', 0)
  put(0, 'b', 'v')
  await openAll()
  const keys: string[] = []
  for await (const step of keysWithoutOffset(map, 0)) keys.push(...step.map(({ key }) => Buffer.from(key).toString()))
  expect(keys).toEqual(['b'])
})
