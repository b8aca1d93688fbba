import { expect, test } from 'bun:test'
import { type MapChunk, type MapChunkBounds, type Reader, readTogether } from '../../../lib/map/index.ts'
import { halfSipHash13 } from '../../../lib/map/memory/half-sip-hash.ts'
import { chunkBytesMax, chunkSlotsMax } from '../../../lib/map/memory/limits.ts'
import { createFixture } from '../../support/map/map-pair.ts'

function createWalk(options: Parameters<typeof createFixture>[0] = {}) {
  const fixture = createFixture(options)
  const reader = fixture.readers.acquire() as Reader
  const chunk = (from: number, bounds: Partial<MapChunkBounds> = {}, partition = 0): MapChunk =>
    readTogether([reader], () => reader.readChunk(partition, from, { limit: 1_000_000, withValues: true, ...bounds }))
  const walk = (bounds: Partial<MapChunkBounds> = {}, partition = 0): MapChunk[] => {
    const chunks: MapChunk[] = []
    for (let from: number | undefined = 0; from !== undefined;) {
      const read: MapChunk = chunk(from, bounds, partition)
      const { next } = read
      chunks.push(read)
      if (next !== undefined && next <= from) throw new Error(`the chunk from ${from} ends at ${next}`)
      from = next
    }
    return chunks
  }
  return { ...fixture, chunk, walk }
}

function keysOf(chunks: readonly MapChunk[]): string[] {
  return chunks.flatMap(({ entries }) => entries.map(({ key }) => Buffer.from(key).toString()))
}

function hashesOf(seed: readonly [number, number], keys: readonly string[]): number[] {
  return keys.map((key) => halfSipHash13(seed[0], seed[1], Buffer.from(key), 0, Buffer.byteLength(key)) >>> 0)
}

test('a walk has each entry once, in order of hashes, with its value and record', async () => {
  const { map, put, walk, openAll } = createWalk()
  await openAll()
  for (let i = 0; i < 3000; i++) put(0, `key ${i}`, `value ${i}`, i, i + 1)
  await map.publish()
  const chunks = walk({ limit: 100 })
  const keys = keysOf(chunks)
  expect(keys.toSorted()).toEqual(Array.from({ length: 3000 }, (_, i) => `key ${i}`).toSorted())
  const hashes = hashesOf(map.shared.seed, keys)
  expect(hashes).toEqual(hashes.toSorted((a, b) => a - b))
  for (const { entries, examined } of chunks) {
    expect(entries.length).toBeLessThanOrEqual(100)
    expect(examined).toBe(entries.length)
  }
  const { key, value, ...record } = chunks.find(({ entries }) => entries.length > 7)!.entries[7]!
  const i = Number(Buffer.from(key).toString().slice(4))
  expect([Buffer.from(value).toString(), record]).toEqual([`value ${i}`, { partition: 0, offset: i, timestamp: i + 1 }])
})

test('keys and values of a chunk are copies', async () => {
  const { map, put, chunk, openAll } = createWalk()
  await openAll()
  put(0, 'key', 'value')
  await map.publish()
  const [entry] = chunk(0).entries
  entry!.key.fill(0)
  entry!.value.fill(0)
  const [again] = chunk(0).entries
  expect([Buffer.from(again!.key).toString(), Buffer.from(again!.value).toString()]).toEqual(['key', 'value'])
})

test('a prefix selects keys, and values are left out on demand', async () => {
  const { map, put, walk, openAll } = createWalk()
  await openAll()
  for (let i = 0; i < 1000; i++) put(0, `${i % 7 === 0 ? 'seven' : 'other'} ${i}`, 'x')
  put(0, 'seve', 'shorter than the prefix')
  await map.publish()
  const chunks = walk({ limit: 10, prefix: Buffer.from('seven'), withValues: false })
  const keys = keysOf(chunks)
  expect(keys.length).toBe(143)
  expect(keys.every((key) => key.startsWith('seven '))).toBe(true)
  expect(chunks.flatMap(({ entries }) => entries).every(({ value }) => value.length === 0)).toBe(true)
  expect(chunks.reduce((sum, { examined }) => sum + examined, 0)).toBe(1001)
})

test('a chunk never ends between entries of equal hash', async () => {
  const { map, put, walk, openAll } = createWalk()
  await openAll()
  const { seed } = map.shared
  const byHash = new Map<number, string>()
  const colliding: [string, string][] = []
  for (let i = 0; colliding.length < 3; i++) {
    const key = `${i}`
    const [hash] = hashesOf(seed, [key])
    const other = byHash.get(hash!)
    if (other !== undefined) colliding.push([other, key])
    byHash.set(hash!, key)
  }
  for (const key of colliding.flat()) put(0, key, 'x')
  for (let i = 0; i < 300; i++) put(0, `other ${i}`, 'x')
  await map.publish()
  const chunks = walk({ limit: 1 })
  expect(keysOf(chunks).length).toBe(306)
  const pairs = chunks.filter(({ entries }) => entries.length === 2).map((one) => keysOf([one]).toSorted())
  expect(pairs.toSorted()).toEqual(colliding.map((pair) => pair.toSorted()).toSorted())
})

test('a chunk ends after a number of slots when the table is sparse, and after a number of bytes', async () => {
  const sparse = createWalk({ initialCapacity: 100_000 })
  await sparse.openAll()
  sparse.put(0, 'key', 'value')
  await sparse.map.publish()
  const chunks = sparse.walk()
  // A table of 2^18 slots.
  expect(chunks.length).toBeGreaterThanOrEqual(2 ** 18 / chunkSlotsMax)
  expect(keysOf(chunks)).toEqual(['key'])

  const large = createWalk()
  await large.openAll()
  const length = 200_000
  for (let i = 0; i < 12; i++) large.put(0, `key ${i}`, 'x'.repeat(length))
  await large.map.publish()
  const sizes = large.walk().map(({ entries }) => entries.length)
  const most = Math.ceil(chunkBytesMax / length)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(12)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(most)
})

test('a value above the bound of a chunk comes alone', async () => {
  const { map, put, walk, openAll } = createWalk()
  await openAll()
  for (let i = 0; i < 3; i++) put(0, `key ${i}`, 'x'.repeat(chunkBytesMax + 1))
  await map.publish()
  expect(
    walk()
      .map(({ entries }) => entries.length)
      .filter((count) => count > 0),
  ).toEqual([1, 1, 1])
})

test('there is nothing to walk in a partition that is bulk loading, and in one that the map does not hold', async () => {
  const { put, chunk, map } = createWalk()
  put(0, 'key', 'value')
  const nothing = { entries: [], examined: 0, bytes: 0, next: undefined }
  expect(chunk(0)).toEqual(nothing)
  expect(chunk(0, {}, 5)).toEqual(nothing)
  map.open(0)
  await map.publish()
  expect(keysOf([chunk(0)])).toEqual(['key'])
})
