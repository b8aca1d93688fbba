import { afterEach, expect, spyOn, test } from 'bun:test'
import type { ChiralMap } from '../../lib/map/index.ts'
import { Stats } from '../../lib/store-protocol/stats.ts'
import { Flusher } from '../../lib/store-thread/flusher.ts'
import { until } from '../support/until.ts'

const open: Flusher[] = []
afterEach(() => {
  for (const flusher of open.splice(0)) flusher.stop()
})

/** Publishes end when the test lets them. */
class FakeMap {
  oplogLength = 0
  oplogBytes = 0
  readonly publishes: { operations: number; end: (error?: Error) => void }[] = []

  publish(): Promise<number> {
    const operations = this.oplogLength
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.publishes.push({
      operations,
      end: (error) => {
        if (error) return reject(error)
        this.oplogLength -= operations
        resolve(operations)
      },
    })
    return promise
  }
}

function setup(options: { count?: number; seconds?: number; whenIdle?: boolean } = {}) {
  const map = new FakeMap()
  const stats = new Stats([])
  const failures: unknown[] = []
  const failed = (error: unknown) => void failures.push(error)
  let publishes = 0
  const published = () => void publishes++
  const defaults = { count: 10, seconds: 1_000_000, published, failed }
  const flusher = new Flusher(map as unknown as ChiralMap, stats, { ...defaults, ...options })
  open.push(flusher)
  const write = (operations: number) => {
    map.oplogLength += operations
    flusher.wrote()
  }
  return { map, stats, failures, flusher, write, published: () => publishes }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

test('Flusher publishes when the count is reached, and not before', async () => {
  const { map, stats, write, published } = setup()
  write(9)
  expect(map.publishes).toHaveLength(0)
  expect(stats.count('oplogLength')).toBe(9)
  write(1)
  expect(map.publishes).toHaveLength(1)
  map.publishes[0]!.end()
  await until('it is published', () => published() === 1)
  expect([stats.count('operationsPublished'), stats.count('flushes'), stats.count('oplogLength')]).toEqual([10, 1, 0])
})

test('Flusher publishes after its interval, for any number of waiting operations except none', async () => {
  const { map, write } = setup({ seconds: 0.005 })
  await Bun.sleep(20)
  expect(map.publishes).toHaveLength(0)
  write(1)
  await until('it publishes', () => map.publishes.length === 1)
})

test('Flusher publishes again at once when the count was reached during a publish', async () => {
  const { map, write } = setup()
  write(10)
  write(10)
  expect(map.publishes).toHaveLength(1)
  map.publishes[0]!.end()
  await until('it publishes again', () => map.publishes.length === 2)
  expect(map.publishes[1]!.operations).toBe(10)
})

test('flush makes visible what was put before the call, by a further publish when one is under way', async () => {
  const { map, write, flusher, stats } = setup()
  write(10)
  write(3)
  let flushed = 0
  const flushes = [flusher.flush(), flusher.flush()].map((flush) => flush.then(() => flushed++))
  map.publishes[0]!.end()
  await until('the flushes publish', () => map.publishes.length === 2)
  expect(flushed).toBe(0)
  expect(map.publishes[1]!.operations).toBe(3)
  map.publishes[1]!.end()
  await Promise.all(flushes)
  expect(map.publishes).toHaveLength(2)
  expect(stats.count('operationsPublished')).toBe(13)
})

test('flush reports when nothing waits, too: a partition may have been opened', async () => {
  const { map, flusher, published } = setup()
  const flush = flusher.flush()
  map.publishes[0]!.end()
  await flush
  expect(published()).toBe(1)
})

test('flush rejects with what the publish rejects with, and the next one tries again', async () => {
  const { map, flusher, failures } = setup()
  const flush = flusher.flush().catch((error: unknown) => error)
  map.publishes[0]!.end(new Error('no memory'))
  expect(await flush).toEqual(new Error('no memory'))
  expect(failures).toEqual([])
  const again = flusher.flush()
  map.publishes[1]!.end()
  expect(await again).toBeUndefined()
})

test('Flusher reports the error of a publish in the background', async () => {
  const { map, failures, write } = setup()
  write(10)
  map.publishes[0]!.end(new Error('no memory'))
  await until('it is handed on', () => failures.length === 1)
  expect(failures).toEqual([new Error('no memory')])
})

test('room is there until a million operations wait beyond the count, and again when the publish is done', async () => {
  const { map, flusher, write } = setup()
  write(1_000_009)
  expect(flusher.room()).toBeUndefined()
  write(1)
  const room = flusher.room()
  expect(room).toBeInstanceOf(Promise)
  map.publishes[0]!.end()
  await room
})

test('Flusher publishes before the count when the bytes that wait are many', () => {
  const { map, write } = setup()
  map.oplogBytes = 300 << 20
  write(1)
  expect(map.publishes).toHaveLength(1)
})

test('Flusher publishes few operations soon if configured, including those that came during a publish', async () => {
  const { map, write } = setup({ whenIdle: true })
  write(1)
  expect(map.publishes).toHaveLength(0)
  await until('the first is being published', () => map.publishes.length === 1)
  write(2)
  map.publishes[0]!.end()
  await until('the others are', () => map.publishes.length === 2)
  expect(map.publishes[1]!.operations).toBe(2)
})

test('Flusher publishes in the next turn of the event loop everything that came in this turn after a pause', async () => {
  const { map, write } = setup({ whenIdle: true })
  write(1)
  write(2)
  await nextTurn()
  expect(map.publishes.map(({ operations }) => operations)).toEqual([3])
})

test('Flusher publishes soon what came during another flush', async () => {
  const { map, flusher, write } = setup({ whenIdle: true })
  const flush = flusher.flush()
  write(1)
  await Bun.sleep(20) // longer than it would wait otherwise
  map.publishes[0]!.end()
  await flush
  await until('it is published', () => map.publishes.length === 2)
})

test('Flusher leaves five milliseconds between two publishes, however long the first one took', async () => {
  const now = spyOn(performance, 'now').mockReturnValue(1000)
  const timer = spyOn(globalThis, 'setTimeout')
  try {
    const { map, write } = setup({ whenIdle: true })
    write(1)
    await nextTurn()
    now.mockReturnValue(1100)
    write(2)
    map.publishes[0]!.end()
    await nextTurn()
    expect(timer.mock.calls.map(([, ms]) => ms)).toEqual([5])
  } finally {
    now.mockRestore()
    timer.mockRestore()
  }
})

test('Flusher publishes nothing more once it is stopped', async () => {
  const { map, flusher, write } = setup({ whenIdle: true })
  write(1)
  flusher.stop()
  await Bun.sleep(10)
  expect(map.publishes).toEqual([])
})

test('Flusher publishes once for all flushes that wait, with everything that was put before any of them', async () => {
  const { map, flusher, write } = setup({ count: 1_000 })
  write(1)
  const flushed: number[] = []
  // As many partitions as a store may have reach their end in the same turn.
  const flushes = Array.from({ length: 500 }, async (_, index) => {
    write(1)
    await flusher.flush()
    flushed.push(index)
  })
  expect(map.publishes).toHaveLength(1)
  map.publishes[0]!.end()
  await until('the next one began', () => map.publishes.length === 2)
  expect(flushed).toEqual([0])
  // A flush that is requested while the next one runs waits for another.
  write(1)
  flushes.push(flusher.flush())
  map.publishes[1]!.end()
  await until('the last one began', () => map.publishes.length === 3)
  expect(flushed).toHaveLength(500)
  map.publishes[2]!.end()
  await Promise.all(flushes)
  expect(map.publishes.map(({ operations }) => operations)).toEqual([2, 499, 1])
})
