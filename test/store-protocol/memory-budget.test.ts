import { expect, test } from 'bun:test'
import {
  mapBudgetOf,
  mapBytesFor,
  MemoryLedger,
  memoryMaxFor,
  recoveryBudgetOf,
} from '../../lib/store-protocol/memory-budget.ts'

const mebibyte = 2 ** 20

test.each([
  ['no bound', {}, undefined],
  ['a bound', { memoryMax: 512 }, 256],
  ['a large bound', { memoryMax: 4096 }, 3840],
  ['a bound of which the reserve is more than two thirds', { memoryMax: 300 }, 100],
  ['more threads', { memoryMax: 1024, storeThreads: 3, readerThreads: 2 }, 1024 - 256 - 3 * 32],
  ['a large ring of changes', { memoryMax: 1024, changesBytes: 80 * mebibyte }, 1024 - 256 - 64],
  ['a small ring of changes', { memoryMax: 1024, changesBytes: mebibyte }, 768],
])(
  'the map gets what the rest of the process leaves with %s',
  (_, { memoryMax, ...config }: object & { memoryMax?: number }, expected) => {
    const max = memoryMax === undefined ? {} : { memoryMax: memoryMax * mebibyte }
    expect(mapBudgetOf({ ...config, ...max })).toBe(expected && expected * mebibyte)
  },
)

test('the bound that is advised is large enough', () => {
  for (const mapBytes of [1, 50, 200, 256, 300, 5000].map((count) => count * mebibyte)) {
    for (const config of [{}, { storeThreads: 4, readerThreads: 4 }]) {
      const memoryMax = memoryMaxFor(mapBytes, config)
      expect(mapBudgetOf({ ...config, memoryMax })).toBeGreaterThanOrEqual(mapBytes)
      expect(mapBudgetOf({ ...config, memoryMax: memoryMax - 200 * mebibyte })).toBeLessThan(mapBytes)
    }
  }
})

test('a partition takes its entries and two tables', () => {
  expect(mapBytesFor({ entries: 1_000_000, bytes: 208_000_000 })).toBe(208_000_000 + 2 * 8 * 2 ** 21)
  expect(mapBytesFor({ entries: 0, bytes: 0 })).toBe(0)
})

test('the ledger has the sums of all threads', () => {
  const buffer = MemoryLedger.buffer()
  const [one, other] = [new MemoryLedger(buffer), new MemoryLedger(buffer)]
  expect(one.set('neededBytes', 5)).toBe(5)
  expect(other.set('neededBytes', 2 ** 40)).toBe(2 ** 40 + 5)
  expect(one.set('neededBytes', 1)).toBe(2 ** 40 + 1)
  expect([one.sum('neededBytes'), one.own('neededBytes'), one.sum('expectedBytes')]).toEqual([2 ** 40 + 1, 1, 0])
})

test('a recovery may take a quarter of the reserve', () => {
  expect(recoveryBudgetOf({})).toBe(Infinity)
  expect(recoveryBudgetOf({ memoryMax: 512 * mebibyte })).toBe((256 + 64) * mebibyte)
  expect(recoveryBudgetOf({ memoryMax: 300 * mebibyte })).toBe((100 + 50) * mebibyte)
})
