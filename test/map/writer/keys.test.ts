import { expect, test } from 'bun:test'
import { createFixture, putEntry } from '../../support/map/map-pair.ts'

test('keys come once each when the map changes meanwhile', async () => {
  const { map, put, openAll } = createFixture()
  for (let i = 0; i < 2000; i++) put(0, `stays ${i}`, 'x')
  for (let i = 0; i < 500; i++) put(0, `goes ${i}`, 'x')
  expect([...map.keys(0)].length).toBe(2500)
  await openAll()
  const seen = new Map<string, number>()
  let steps = 0
  for (const key of map.keys(0)) {
    const text = Buffer.from(key).toString()
    seen.set(text, (seen.get(text) ?? 0) + 1)
    if (++steps % 100 === 0) {
      for (let i = 0; i < 200; i++) put(0, `comes ${steps} ${i}`, 'x')
      for (let i = 0; i < 25; i++) put(0, `goes ${(steps / 100) * 25 + i}`, null)
      await map.publish()
    }
  }
  for (let i = 0; i < 2000; i++) expect(seen.get(`stays ${i}`)).toBe(1)
  for (const count of seen.values()) expect(count).toBe(1)
})

test('keys show a consistent set to a rebuild that removes them all', async () => {
  const { map, put, openAll } = createFixture()
  for (let i = 0; i < 3000; i++) put(0, `key ${i}`, 'x')
  await openAll()
  for (const key of map.keys(0)) putEntry(map, 0, key, null)
  expect(await map.publish()).toBe(3000)
  expect([...map.keys(0)]).toEqual([])
  expect(map.stats(0)).toMatchObject({ entries: 0, liveBytes: 0 })
})
