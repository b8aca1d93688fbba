import { expect, test } from 'bun:test'
import { releaseMemory } from '../../lib/linux/release-memory.ts'

const mebibyte = 1 << 20

test('shared memory that is released is no longer resident, reads as zero, and can be written again', () => {
  const buffer = new SharedArrayBuffer(64 * mebibyte)
  const all = new Uint8Array(buffer).fill(7)
  const before = process.memoryUsage.rss()
  expect(releaseMemory(new Uint8Array(buffer, 16 * mebibyte, 32 * mebibyte))).toBe(true)
  expect(process.memoryUsage.rss()).toBeLessThan(before - 24 * mebibyte)
  expect([all[16 * mebibyte - 1], all[16 * mebibyte], all[48 * mebibyte - 1], all[48 * mebibyte]]).toEqual([7, 0, 0, 7])
  all.fill(8, 20 * mebibyte, 21 * mebibyte)
  expect([all[20 * mebibyte - 1], all[20 * mebibyte], all[21 * mebibyte]]).toEqual([0, 8, 0])
})

test('bytes that begin within a page are not released', () => {
  const bytes = new Uint8Array(new SharedArrayBuffer(mebibyte), 8, 65_536).fill(7)
  expect(releaseMemory(bytes)).toBe(false)
  expect(bytes.every((byte) => byte === 7)).toBeTrue()
})
