import { expect, test } from 'bun:test'
import { LatchkeyError } from '../../lib/errors.ts'
import { ChiralMap, ChiralMapReaders, type ChiralMapShared, type MapMessage, type Reader } from '../../lib/map/index.ts'
import { createFixture, putEntry, smallSegmentBytes } from '../support/map/map-pair.ts'

function createShared(readersMax: number): ChiralMapShared {
  return createFixture({ readersMax }).map.shared
}

test('a pool hands readers out at once while some are free', () => {
  const readers = new ChiralMapReaders(createShared(2), 0)
  expect(readers).toMatchObject({ size: 2, inUse: 0, waiting: 0 })
  const first = readers.acquire() as Reader
  const second = readers.acquire() as Reader
  expect(first).not.toBeInstanceOf(Promise)
  expect(second).not.toBe(first)
  expect(readers.inUse).toBe(2)
  readers.release(first)
  readers.release(second)
  expect(readers.inUse).toBe(0)
})

test('a pool serves waiting callers in order of arrival', async () => {
  const readers = new ChiralMapReaders(createShared(1), 0)
  const held = readers.acquire() as Reader
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (number) => {
    const reader = await readers.acquire()
    order.push(number)
    readers.release(reader)
  })
  expect(readers.waiting).toBe(3)
  readers.release(held)
  await Promise.all(waiting)
  expect(order).toEqual([1, 2, 3])
  expect(readers).toMatchObject({ inUse: 0, waiting: 0 })
})

test('a pool rejects when the wait list is full, and when the wait passes its bound', async () => {
  const readers = new ChiralMapReaders(createShared(1), 0, { waitersMax: 1, waitMaxMs: 5 })
  const held = readers.acquire() as Reader
  const waiting = readers.acquire()
  await expect(Promise.resolve(readers.acquire())).rejects.toMatchObject({
    code: 'readers_exhausted',
    message: 'acquire a reader: all 1 are in use and 1 requests already wait. Raise READER_POOL_SIZE',
  })
  await expect(Promise.resolve(waiting)).rejects.toMatchObject({ code: 'readers_exhausted' })
  expect(readers.waiting).toBe(0)
  readers.release(held)
  expect(readers.inUse).toBe(0)
})

test('a release is harmless when the reader has been released before', () => {
  const readers = new ChiralMapReaders(createShared(1), 0)
  const first = readers.acquire() as Reader
  readers.release(first)
  const second = readers.acquire() as Reader
  readers.release(first)
  expect(readers.inUse).toBe(1)
  expect(second.get(Buffer.from('x'))).toBeUndefined()
  expect(() => first.get(Buffer.from('x'))).toThrow('the reader has been released')
})

test('a pinned reader is not part of the pool', () => {
  const readers = new ChiralMapReaders(createShared(3), 0, { pinned: 2 })
  const pinned = [readers.pin(), readers.pin()]
  expect(readers).toMatchObject({ size: 1, inUse: 0 })
  expect(() => readers.pin()).toThrow('pin a reader: all 2 reserved readers are in use')
  expect(readers.acquire()).not.toBeInstanceOf(Promise)
  readers.unpin(pinned[0]!)
  readers.unpin(pinned[0]!)
  expect(() => pinned[0]!.get(Buffer.from('x'))).toThrow('the reader has been released')
  const again = readers.pin()
  expect(again.get(Buffer.from('x'))).toBeUndefined()
  expect(() => readers.pin()).toThrow(LatchkeyError)
})

test('readers refuse a thread number that the map does not have', () => {
  expect(() => new ChiralMapReaders(createShared(1), 1)).toThrow('make readers: thread 1 of 1')
})

test('readers see everything when they begin late, and ignore messages they know', async () => {
  const messages: MapMessage[] = []
  const early: ChiralMapReaders[] = []
  const map = new ChiralMap({
    partitions: [0],
    partitionCount: 1,
    initialCapacity: 0,
    readersMax: 1,
    readerThreads: 2,
    segmentBytes: smallSegmentBytes,
    slabBytes: 4 * smallSegmentBytes,
    announce: (message) => {
      messages.push(message)
      for (const [thread, readers] of early.entries()) map.confirmed(thread, readers.receive(message))
    },
  })
  for (let i = 0; i < 1000; i++) putEntry(map, 0, `key ${i}`, `value ${i}`)
  map.open(0)
  early[0] = new ChiralMapReaders(structuredClone(map.shared), 0)
  map.confirmed(0, early[0].version)
  const published = map.publish()
  // The other thread's confirmation is still missing.
  await Bun.sleep(0)
  early[1] = new ChiralMapReaders(structuredClone(map.shared), 1)
  map.confirmed(1, early[1].version)
  await published
  for (const message of messages) expect(early[1].receive(message)).toBe(early[1].version)
  for (const readers of early) {
    const reader = readers.acquire() as Reader
    for (let i = 0; i < 1000; i++) {
      expect(Buffer.from(reader.get(Buffer.from(`key ${i}`))!.value).toString()).toBe(`value ${i}`)
    }
  }
})
