import { expect, test } from 'bun:test'
import { ChiralMapReaders, type Reader } from '../../lib/map/index.ts'
import { withReaders } from '../../lib/store/with-readers.ts'
import { createFixture } from '../support/map/map-pair.ts'

function createPool(waitersMax = 10): ChiralMapReaders {
  return new ChiralMapReaders(createFixture({ readersMax: 1 }).map.shared, 0, { waitersMax })
}

test('readers are had at once when each pool has one free, and returned when reading fails', () => {
  const pools = [createPool(), createPool()]
  expect(withReaders(pools, (readers) => readers.length)).toBe(2)
  const fail = () => {
    throw new Error('no')
  }
  expect(() => withReaders(pools, fail)).toThrow('no')
  expect(pools.map(({ inUse }) => inUse)).toEqual([0, 0])
})

test('readers are waited for, in the pools that have none', async () => {
  const pools = [createPool(), createPool(), createPool()]
  const held = [pools[0]!.acquire() as Reader, pools[2]!.acquire() as Reader]
  const read = [1, 2, 3].map((number) => withReaders(pools, () => number))
  expect(read.every((result) => result instanceof Promise)).toBe(true)
  expect(pools.map(({ inUse, waiting }) => [inUse, waiting])).toEqual([
    [1, 3],
    [0, 0],
    [1, 0],
  ])
  pools[0]!.release(held[0]!)
  pools[2]!.release(held[1]!)
  expect(await Promise.all(read)).toEqual([1, 2, 3])
  expect(pools.map(({ inUse }) => inUse)).toEqual([0, 0, 0])
})

test('readers that are had are returned when another pool refuses', async () => {
  const pools = [createPool(), createPool(0)]
  const held = pools[1]!.acquire() as Reader
  await expect(withReaders(pools, () => 1) as Promise<number>).rejects.toMatchObject({ code: 'readers_exhausted' })
  expect(pools.map(({ inUse }) => inUse)).toEqual([0, 1])
  pools[1]!.release(held)
})
