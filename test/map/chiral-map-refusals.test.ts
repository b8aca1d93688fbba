import { expect, test } from 'bun:test'
import { ChiralMap } from '../../lib/map/index.ts'
import { createFixture } from '../support/map/map-pair.ts'

test('a put is refused when a range lies outside its source', () => {
  const { map } = createFixture()
  const source = new Uint8Array(10)
  const put = (...[keyStart, keyLength, valueStart, valueLength]: [number, number, number, number]) =>
    map.put(0, source, keyStart, keyLength, valueStart, valueLength, 0, 0)
  expect(() => put(0, -1, 0, 1)).toThrow('key of -1 bytes')
  expect(() => put(8, 3, 0, 1)).toThrow('key of 3 bytes at 8 in a source of 10 bytes')
  expect(() => put(-1, 3, 0, 1)).toThrow('key of 3 bytes at -1')
  expect(() => put(0, 3, 8, 3)).toThrow('value of 3 bytes at 8')
  expect(() => put(0, 3, 3, -2)).toThrow('value of -2 bytes')
  expect(() => put(0, Number.NaN, 3, 3)).toThrow('key of NaN bytes')
  expect(() => map.put(5, source, 0, 1, 1, 1, 0, 0)).toThrow('find partition 5 in the map: it holds 0')
})

test('a put throws entry_too_large above a gibibyte', () => {
  const { map } = createFixture()
  const source = new Uint8Array(1024 ** 3 + 1)
  expect(() => map.put(0, source, 0, 1, 1, 1024 ** 3, 5, 0)).toThrow(
    expect.objectContaining({ code: 'entry_too_large' }),
  )
})

test('a put throws memory_exhausted at the limit, and earlier puts can be published', async () => {
  const { map, put, text, openAll } = createFixture({ bytesMax: 256 * 1024, initialCapacity: 300 })
  await openAll()
  let count = 0
  const fill = () => {
    for (; count < 1000; count++) put(0, `key ${count}`, ''.padEnd(1000))
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'memory_exhausted' }))
  expect(count).toBeGreaterThan(150)
  await map.publish()
  expect(text(`key ${count - 1}`)).toBe(''.padEnd(1000))
  expect(text('key 0')).toBe(''.padEnd(1000))
})

test('a bulk loading put throws memory_exhausted at the limit, and nothing has changed', () => {
  const { map, put } = createFixture({ bytesMax: 256 * 1024 })
  let count = 0
  const fill = () => {
    for (; count < 100_000; count++) put(0, `key ${count}`, '')
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'memory_exhausted' }))
  expect(map.stats(0).entries).toBe(count)
  expect([...map.keys(0)].length).toBe(count)
})

test.each([
  [[4], 'partitions are 4'],
  [[-1, 3], 'partitions are -1, 3'],
  [[0.5], 'partitions are 0.5'],
  [[3, 3], 'partitions repeat'],
])('a map of 4 partitions refuses %p', (partitions, found) => {
  expect(() => createFixture({ partitions, partitionCount: 4 })).toThrow(
    expect.objectContaining({ code: 'invalid_settings', message: `create a chiral map: ${found}` }),
  )
  expect(() => createFixture({ partitions: [0, 3], partitionCount: 4 })).not.toThrow()
})

test('a map names every option that does not fit', () => {
  const create = () =>
    new ChiralMap({
      partitions: [0, 9],
      partitionCount: 4,
      initialCapacity: -1,
      readersMax: 0,
      readerThreads: 1,
      segmentBytes: 5000,
      announce: () => {},
    })
  expect(create).toThrow(
    'create a chiral map: partitions are 0, 9; initialCapacity is -1; readersMax is 0; segmentBytes is 5000',
  )
})
