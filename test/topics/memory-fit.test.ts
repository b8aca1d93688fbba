import { expect, test } from 'bun:test'
import type { StoreConfig } from '../../lib/store-protocol/store-config.ts'
import { describeMemory } from '../../lib/topics/memory-fit.ts'

const mebibyte = 2 ** 20

function described(memoryMax: number | undefined, mapBytes: number): string[] {
  const config = { ...(memoryMax !== undefined && { memoryMax: memoryMax * mebibyte }) } as StoreConfig
  return describeMemory(config, { entries: 7, bytes: 50 * mebibyte, mapBytes: mapBytes * mebibyte })
}

test('--check names what the store holds, and what MEMORY_MAX leaves for it', () => {
  const held = 'memory: 7 entries of 50 MiB, 60 MiB with their index'
  expect(described(undefined, 60)).toEqual([`${held}; without a bound`])
  expect(described(256, 60)).toEqual([`${held}; MEMORY_MAX=256M leaves 85 MiB for them`])
})

test('--check warns of a store that would start and be full', () => {
  expect(described(256, 114)).toEqual([
    'memory: 7 entries of 50 MiB, 114 MiB with their index; MEMORY_MAX=256M leaves 85 MiB for them',
    'warning: Memory would be full: lookups answer, and nothing more is read. Raise MEMORY_MAX, or the limit of the control group that it follows, to at least 384M, or hold fewer partitions here',
  ])
})
