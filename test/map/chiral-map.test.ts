import { expect, test } from 'bun:test'
import { partitionOf } from '../../lib/map/index.ts'
import { halfSipHash13 } from '../../lib/map/memory/half-sip-hash.ts'
import { createFixture } from '../support/map/map-pair.ts'

test('a map shows a put when it has been published, not before', async () => {
  const { map, put, get, text, openAll } = createFixture()
  await openAll()
  put(0, 'a', 'one', 7, 1234)
  expect(get('a')).toBeUndefined()
  expect(map).toMatchObject({ oplogLength: 1, oplogBytes: 32 })
  expect(await map.publish()).toBe(1)
  expect(map).toMatchObject({ oplogLength: 0, oplogBytes: 0 })
  expect(get('a')).toEqual({ value: new Uint8Array(Buffer.from('one')), partition: 0, offset: 7, timestamp: 1234 })
  put(0, 'a', 'two')
  expect(text('a')).toBe('one')
  await map.publish()
  expect(text('a')).toBe('two')
  expect(get('a')).toMatchObject({ offset: -1, timestamp: -1 })
})

test('a map publishes what was put before the call when more is put meanwhile', async () => {
  const { map, put, text, openAll } = createFixture()
  await openAll()
  put(0, 'a', 'one')
  const first = map.publish()
  put(0, 'a', 'two')
  const second = map.publish()
  put(0, 'a', 'three')
  expect(await first).toBe(1)
  expect(text('a')).toBe('one')
  expect(await second).toBe(1)
  expect(text('a')).toBe('two')
  expect(map).toMatchObject({ oplogLength: 1, oplogBytes: 32 })
  expect(await map.publish()).toBe(1)
  expect(text('a')).toBe('three')
  expect(await map.publish()).toBe(0)
})

test('a map forgets a key when a tombstone is put', async () => {
  const { map, put, get, openAll } = createFixture()
  put(0, 'a', 'one')
  put(0, 'b', 'two')
  put(0, 'b', null)
  await openAll()
  expect(get('b')).toBeUndefined()
  put(0, 'a', null)
  put(0, 'never there', null)
  expect(await map.publish()).toBe(2)
  expect(get('a')).toBeUndefined()
  expect(map.stats(0)).toMatchObject({ entries: 0, liveBytes: 0 })
  put(0, 'a', 'three')
  put(0, 'a', null)
  put(0, 'a', 'four')
  await map.publish()
  expect(Buffer.from(get('a')!.value).toString()).toBe('four')
  expect(map.stats(0).entries).toBe(1)
})

test('a map returns to its writer the value of a key after the absorbed operations, and their number', async () => {
  const { map, put, openAll } = createFixture()
  const latest = (key: string) => {
    const found = map.latest(0, Buffer.from(`<${key}>`), 1, key.length)
    return found && Buffer.from(found.value).toString()
  }
  put(0, 'a', 'one')
  expect(latest('a')).toBe('one')
  expect(map.operationsAbsorbed).toBe(0)
  await openAll()
  put(0, 'a', 'two')
  put(0, 'b', '')
  expect([latest('a'), latest('b')]).toEqual(['one', undefined])
  const publish = map.publish()
  put(0, 'a', null)
  await publish
  expect([latest('a'), latest('b')]).toEqual(['two', ''])
  expect(map).toMatchObject({ operationsAbsorbed: 2, oplogLength: 1 })
  await map.publish()
  expect(latest('a')).toBeUndefined()
  expect(map).toMatchObject({ operationsAbsorbed: 3, oplogLength: 0 })
})

test('a map takes empty keys and empty values', async () => {
  const { put, text, openAll } = createFixture()
  put(0, '', 'empty key')
  put(0, 'empty value', '')
  await openAll()
  expect(text('')).toBe('empty key')
  expect(text('empty value')).toBe('')
})

test('a lookup returns a copy', async () => {
  const { map, put, get, openAll } = createFixture()
  put(0, 'a', 'one')
  await openAll()
  const found = get('a')!
  expect(found.value.buffer).toBeInstanceOf(ArrayBuffer)
  found.value.fill(0)
  put(0, 'a', 'two')
  await map.publish()
  expect(Buffer.from(get('a')!.value).toString()).toBe('two')
})

test('a lookup finds keys in every partition', async () => {
  const partitions = [1, 3, 4]
  const { put, get, openAll } = createFixture({ partitions, partitionCount: 6 })
  for (let i = 0; i < 300; i++) put(partitions[i % 3]!, `key ${i}`, `value ${i}`)
  await openAll()
  for (let i = 0; i < 300; i++) expect(get(`key ${i}`)).toMatchObject({ partition: partitions[i % 3]! })
  expect(get('key 300')).toBeUndefined()
})

test('a lookup prefers the partition that the key hashes to', async () => {
  const { put, text, openAll } = createFixture({ partitions: [0, 1, 2], partitionCount: 3 })
  for (let i = 0; i < 50; i++) {
    const home = partitionOf(Buffer.from(`key ${i}`), 3)
    for (const partition of [0, 1, 2]) put(partition, `key ${i}`, partition === home ? 'home' : 'elsewhere')
  }
  await openAll()
  for (let i = 0; i < 50; i++) expect(text(`key ${i}`)).toBe('home')
})

test('a partition is not readable while it is bulk loading, others are', async () => {
  const { map, put, text } = createFixture({ partitions: [0, 1], partitionCount: 2 })
  map.open(0)
  put(0, 'a', 'live')
  for (let i = 0; i < 1000; i++) put(1, `b${i}`, 'loading')
  expect(await map.publish()).toBe(1)
  expect(text('a')).toBe('live')
  expect(text('b5')).toBeUndefined()
  put(1, 'b5', 'later')
  const before = map.publish()
  map.open(1)
  await before
  expect(text('b5')).toBeUndefined()
  put(1, 'b6', 'after opening')
  await map.publish()
  expect(text('b5')).toBe('later')
  expect(text('b6')).toBe('after opening')
  expect(map.stats(1).entries).toBe(1000)
  expect(() => map.open(1)).toThrow('open partition 1: it is live')
  expect(() => map.clear(1)).toThrow('clear partition 1: it is live')
})

test('a partition is empty when it has been cleared, and its memory is used again', async () => {
  const { map, put, text, openAll } = createFixture({ bytesMax: 1024 * 1024 })
  for (let round = 0; round < 50; round++) {
    map.clear(0)
    expect(map.stats(0)).toMatchObject({ entries: 0, liveBytes: 0, totalBytes: 0 })
    for (let i = 0; i < 1000; i++) put(0, `key ${i}`, `value ${round} `.padEnd(200, '.'))
    put(0, 'large', Buffer.alloc(100_000))
  }
  await openAll()
  expect(map.stats(0).entries).toBe(1001)
  expect(text('key 7')).toStartWith('value 49 ')
})

test('a partition keeps its entries when room is reserved, and accepts more', async () => {
  const { map, put, text, openAll } = createFixture({ bytesMax: 4 << 20 })
  for (let i = 0; i < 100; i++) put(0, `key-${i}`, `before-${i}`)
  map.reserve(0, 10_000)
  map.reserve(0, 10)
  for (let i = 100; i < 3_000; i++) put(0, `key-${i}`, `after-${i}`)
  await openAll()
  expect([text('key-0'), text('key-99'), text('key-2999')]).toEqual(['before-0', 'before-99', 'after-2999'])
  expect(map.stats(0).entries).toBe(3_000)
  expect(() => map.reserve(0, 1)).toThrow('reserve partition 0: it is live')
})

test('a reservation without memory for it is refused, and nothing has changed', async () => {
  const { map, put, text, openAll } = createFixture({ bytesMax: 256 << 10 })
  put(0, 'key', 'value')
  expect(() => map.reserve(0, 1_000_000)).toThrow(expect.objectContaining({ code: 'memory_exhausted' }))
  await openAll()
  expect(text('key')).toBe('value')
})

test('a map distinguishes keys with equal hashes', async () => {
  const { map, put, text, openAll } = createFixture()
  const [seed0, seed1] = map.shared.seed
  const byHash = new Map<number, string>()
  const pairs: [string, string][] = []
  // Both ways to compare keys. Of 100,000 keys of a kind one pair is expected to share one of 2^32 hashes.
  for (const prefix of ['short ', 'a key that is long enough to be compared natively ']) {
    byHash.clear()
    for (let i = 100_000, found = 0; found < 2; i++) {
      const key = `${prefix}${i}`
      const hash = halfSipHash13(seed0, seed1, Buffer.from(key), 0, key.length)
      const other = byHash.get(hash)
      if (other !== undefined) {
        pairs.push([key, other])
        found++
      }
      byHash.set(hash, key)
    }
  }
  for (const pair of pairs) for (const key of pair) put(0, key, `first ${key}`)
  await openAll()
  for (const pair of pairs) for (const key of pair) put(0, key, `second ${key}`)
  await map.publish()
  for (const pair of pairs) for (const key of pair) expect(text(key)).toBe(`second ${key}`)
  expect(map.stats(0).entries).toBe(8)
  for (const [key] of pairs) put(0, key, null)
  await map.publish()
  for (const [key, other] of pairs) expect([text(key), text(other)]).toEqual([undefined, `second ${other}`])
})
