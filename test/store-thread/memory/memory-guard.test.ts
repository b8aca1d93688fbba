import { afterEach, expect, test } from 'bun:test'
import { LatchkeyError } from '../../../lib/errors.ts'
import { ChiralMap } from '../../../lib/map/index.ts'
import { MemoryLedger, recoveryBudgetOf } from '../../../lib/store-protocol/memory-budget.ts'
import { Stats } from '../../../lib/store-protocol/stats.ts'
import type { StoreConfig } from '../../../lib/store-protocol/store-config.ts'
import type { FromThread } from '../../../lib/store-protocol/thread-messages.ts'
import { MemoryGuard } from '../../../lib/store-thread/memory/memory-guard.ts'
import { putEntry } from '../../support/map/map-pair.ts'
import { captureLog } from '../../support/store-thread/stand-ins.ts'
import { until } from '../../support/until.ts'

const mebibyte = 1 << 20
/** Leaves 16 MiB for the map. */
const memoryMax = 48 * mebibyte

const open: { stop: () => void }[] = []
afterEach(() => {
  for (const one of open.splice(0)) one.stop()
})

function start(ledger = MemoryLedger.buffer(), threads = 1) {
  const stats = new Stats([0])
  const map: ChiralMap = new ChiralMap({
    partitions: [0],
    partitionCount: 1,
    initialCapacity: 0,
    readersMax: 1,
    readerThreads: 1,
    segmentBytes: 1 << 16,
    slabBytes: mebibyte,
    announce: ({ version }) => queueMicrotask(() => map.confirmed(0, version)),
  })
  const config = { storeId: 'orders', memoryMax, memoryLedger: ledger } as StoreConfig
  const posted: FromThread[] = []
  const failures: unknown[] = []
  const flush = async () => void (await map.publish())
  const guard = new MemoryGuard({
    config,
    map,
    stats,
    threads,
    flush,
    post: (message) => void posted.push(message),
    failed: (error) => void failures.push(error),
  })
  open.push(guard)
  const reads: boolean[] = []
  guard.onChange(() => reads.push(guard.mayRead))
  const value = Buffer.alloc(1000)
  const fill = (from: number, to: number, step = 1) => {
    for (let i = from; i < to; i += step) putEntry(map, 0, `key ${i}`, value)
  }
  const live = async () => {
    map.open(0)
    await map.publish()
    guard.recovered()
  }
  /** Measures again, however short ago that was. */
  const check = async () => {
    await until('it may measure', () => {
      guard.check()
      return stats.count('mapBytes') === map.memory.usedBytes || !guard.mayRead
    })
  }
  return { guard, map, stats, config, posted, failures, reads, fill, live, check, flush }
}

test('a map that stays within its budget is read into', async () => {
  const { guard, fill, live, check, flush, stats, posted } = start()
  await live()
  fill(0, 12_000)
  await flush()
  await check()
  expect([guard.mayRead, posted]).toEqual([true, []])
  expect(stats.count('mapBytes')).toBeGreaterThan(12 * mebibyte)
})

test('at the bound nothing is read, and it is full with what it has when cleaning makes no room', async () => {
  const log = captureLog()
  const { guard, fill, live, check, flush, posted, reads, stats, failures } = start()
  await live()
  fill(0, 17_000)
  await flush()
  stats.setGauge(0, 'position', 5)
  stats.setGauge(0, 'end', 12)
  await check()
  expect(reads).toEqual([false])
  await until('it is full', () => posted.length > 0)
  const reason =
    'memory is full: 17000 entries of 17 MiB, and MEMORY_MAX=48M leaves 16 MiB for them. Nothing more is read until there is room'
  expect(posted).toEqual([{ type: 'full', reason }])
  expect(log.filter((line) => line.includes('full'))).toEqual([
    'error Memory is full: 17000 entries of 17 MiB, and MEMORY_MAX=48M leaves 16 MiB for them. Lookups continue, nothing more is read, and 7 records wait. Raise MEMORY_MAX, or the limit of the control group that it follows, to at least 64M, or hold fewer partitions here',
  ])
  expect([guard.mayRead, stats.count('full'), failures]).toEqual([false, 1, []])
})

test('a store that cleaning brings below the bound is never full', async () => {
  const { guard, fill, live, check, flush, posted, reads, map } = start()
  await live()
  fill(0, 11_000)
  await flush()
  // Half as many dead entries as live ones are within the usual bound.
  fill(0, 11_000, 2)
  await flush()
  expect(map.memory.usedBytes).toBeGreaterThan(16 * mebibyte)
  await check()
  await until('it reads again', () => guard.mayRead)
  expect([reads, posted]).toEqual([[false, true], []])
  expect(map.memory.usedBytes).toBeLessThan(1.15 * 11_000 * 1040 + mebibyte)
  // What cleaning has freed went back to the system.
  expect(map.memory.freeBytes).toBeLessThan(mebibyte)
})

test('a full store reads again when what was written before has made five percent of room, and not before', async () => {
  const log = captureLog()
  const { guard, fill, live, check, flush, posted, map, stats } = start()
  await live()
  fill(0, 17_000)
  await flush()
  await check()
  await until('it is full', () => posted.length > 0)
  const remove = async (from: number, to: number) => {
    for (let i = from; i < to; i++) putEntry(map, 0, `key ${i}`, null)
    await flush()
  }
  await remove(0, 1900)
  expect(map.memory.usedBytes).toBeLessThan(16 * mebibyte)
  expect(map.memory.usedBytes).toBeGreaterThan(0.95 * 16 * mebibyte)
  await until('it has looked', () => stats.count('mapBytes') === map.memory.usedBytes)
  expect(guard.mayRead).toBeFalse()
  await remove(1900, 4000)
  await until('it reads again', () => guard.mayRead)
  expect(posted.at(-1)).toEqual({ type: 'full' })
  expect(stats.count('full')).toBe(0)
  expect(log.at(-1)).toBe('info Memory has room again: reading continues')
})

test('store threads share the bound', async () => {
  const ledger = MemoryLedger.buffer()
  const [one, other] = [start(ledger, 2), start(ledger, 2)]
  await one.live()
  await other.live()
  expect(one.guard.decodeBytesMax).toBeGreaterThan(7 * mebibyte)
  one.fill(0, 9_000)
  await one.flush()
  await one.check()
  expect(one.guard.mayRead).toBeTrue()
  // Each may decode its share of what is left.
  expect(other.guard.decodeBytesMax).toBeLessThan(4 * mebibyte)
  expect(other.guard.decodeBytesMax).toBeGreaterThan(2 * mebibyte)
  other.fill(0, 9_000)
  await other.flush()
  await other.check()
  expect(other.guard.mayRead).toBeFalse()
  await until('the first one is full, too', () => one.posted.length > 0)
})

test('a recovery keeps fewer dead entries near the bound, and ends with one sentence beyond it', async () => {
  const { guard, map, fill, config } = start()
  const recover = (from: number, to: number) => {
    for (let i = from; i < to; i += 100) {
      fill(i, i + 100)
      guard.checkRecovery()
    }
  }
  for (let round = 0; round < 3; round++) recover(0, 12_000)
  await until('it was looked at', () => {
    guard.checkRecovery()
    return map.stats(0).totalBytes < 1.15 * map.stats(0).liveBytes + 2 * (1 << 16)
  })
  const fillBeyond = () => recover(12_000, 40_000)
  expect(fillBeyond).toThrow(LatchkeyError)
  expect(fillBeyond).toThrow(
    /^Recovering store orders, with the changelog read in part: \d+ entries of \d+ MiB need \d+ MiB with their index, and MEMORY_MAX=48M leaves 16 MiB for them\. Raise MEMORY_MAX, .* to at least \d+M, or hold fewer partitions here$/,
  )
  expect(map.memory.usedBytes).toBeLessThan(recoveryBudgetOf(config) + 20 * mebibyte)
})

test('a start is refused before anything is read when what all threads expect does not fit', () => {
  const ledger = MemoryLedger.buffer()
  const [one, other] = [start(ledger), start(ledger)]
  const expected = { entries: 1000, bytes: 12 * mebibyte, mapBytes: 15 * mebibyte }
  one.guard.expect(expected)
  expect(() => other.guard.expect(expected)).toThrow(
    'Starting store orders: 2000 entries of 24 MiB need 30 MiB with their index, and MEMORY_MAX=48M leaves 16 MiB for them. Raise MEMORY_MAX, or the limit of the control group that it follows, to at least 128M, or hold fewer partitions here',
  )
})

test('what is decoded counts although it is not in the map yet', async () => {
  const { guard, map, stats, fill, live, check, flush, posted } = start()
  let pending = 0
  guard.countPending(() => pending)
  await live()
  fill(0, 10_000)
  await flush()
  await check()
  expect(guard.mayRead).toBeTrue()
  pending = 7 * mebibyte
  await until('it is held', () => {
    guard.check()
    return !guard.mayRead
  })
  // What there is when that is written decides.
  await until('it has looked', () => stats.count('mapBytes') === map.memory.usedBytes)
  expect(posted).toEqual([])
  pending = 0
  await until('it reads again', () => guard.mayRead)
  pending = 7 * mebibyte
  await until('it is held', () => {
    guard.check()
    return !guard.mayRead
  })
  fill(10_000, 17_000)
  await flush()
  pending = 0
  await until('it is full', () => posted.length > 0)
  expect(posted[0]).toMatchObject({ reason: expect.stringMatching(/^memory is full: 17000 entries /) })
})

test('no thread reads the source before all have recovered', async () => {
  const ledger = MemoryLedger.buffer()
  const [one, other] = [start(ledger, 2), start(ledger, 2)]
  await one.live()
  expect([one.guard.mayIngest, one.guard.mayRead]).toEqual([false, true])
  let isIngesting = false
  one.guard.onChange(() => (isIngesting = one.guard.mayIngest))
  await other.live()
  expect(other.guard.mayIngest).toBeTrue()
  await until('the first one reads', () => isIngesting)
})
