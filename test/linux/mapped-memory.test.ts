import { afterAll, expect, test } from 'bun:test'
import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { own, readShown, reset, showFile } from '../../lib/linux/mapped-memory.ts'
import type { FromReadingThread, ToReadingThread } from '../support/linux/reading-thread.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'

const folder = temporaryFolder('mapped-memory')
const megabyte = 1 << 20
const path = join(folder, 'file')
const content = Buffer.alloc(3 * megabyte, 'content of a file ')

afterAll(() => rmSync(folder, { recursive: true, force: true }))

function shown(): { memory: Uint8Array<SharedArrayBuffer>; slab: SharedArrayBuffer } {
  writeFileSync(path, content)
  const slab = new SharedArrayBuffer(4 * megabyte)
  const memory = new Uint8Array(slab, megabyte, megabyte - 100)
  const descriptor = openSync(path, 'r')
  expect(showFile(memory, descriptor, megabyte)).toBe(true)
  expect(readShown(memory)).toBe(true)
  closeSync(descriptor)
  return { memory, slab }
}

test('memory shows a part of a file, and what is written to it does not reach the file', () => {
  const { memory, slab } = shown()
  expect(Buffer.compare(memory, content.subarray(megabyte, megabyte + memory.length))).toBe(0)
  expect(new Uint8Array(slab, 0, megabyte).every((byte) => byte === 0)).toBe(true)
  expect(new Uint8Array(slab, 2 * megabyte).every((byte) => byte === 0)).toBe(true)
  memory.fill(1)
  expect(Buffer.compare(readFileSync(path), content)).toBe(0)
  // Memory that is freed while it shows a file is given to others with the content of the file.
  reset(memory)
})

test('memory that is owned stays as it is when the file is shortened', () => {
  const { memory } = shown()
  expect(own(memory)).toBe(true)
  truncateSync(path, 0)
  expect(Buffer.compare(memory, content.subarray(megabyte, megabyte + memory.length))).toBe(0)
  memory.fill(2)
  expect(memory.every((byte) => byte === 2)).toBe(true)
})

test('memory that is reset is new memory', () => {
  const { memory } = shown()
  reset(memory)
  truncateSync(path, 0)
  expect(memory.every((byte) => byte === 0)).toBe(true)
})

test('a file that cannot be read to its end is noticed, its memory is not copied, and is new memory when it is reset', () => {
  writeFileSync(path, content)
  const memory = new Uint8Array(new SharedArrayBuffer(4 * megabyte)).fill(1)
  const descriptor = openSync(path, 'r')
  expect(showFile(memory, descriptor, 0)).toBe(true)
  closeSync(descriptor)
  expect(readShown(memory)).toBe(false)
  expect(own(memory)).toBe(false)
  expect(reset(memory)).toBe(true)
  expect(memory.every((byte) => byte === 0)).toBe(true)
})

test('memory that does not begin with a page, and a position within a page, are refused', () => {
  writeFileSync(path, content)
  const slab = new SharedArrayBuffer(megabyte)
  const descriptor = openSync(path, 'r')
  expect(showFile(new Uint8Array(slab, 8), descriptor, 0)).toBe(false)
  expect(showFile(new Uint8Array(slab), descriptor, 8)).toBe(false)
  closeSync(descriptor)
  expect(new Uint8Array(slab).every((byte) => byte === 0)).toBe(true)
})

test('another thread reads the same all the time while memory shows a file and is owned', async () => {
  writeFileSync(path, content)
  const memory = new SharedArrayBuffer(content.length)
  new Uint8Array(memory).set(content)
  const stop = new SharedArrayBuffer(4)
  const reader = new Worker(new URL('../support/linux/reading-thread.ts', import.meta.url))
  const answered = Promise.withResolvers<FromReadingThread>()
  reader.onmessage = ({ data }: MessageEvent<FromReadingThread>) => answered.resolve(data)
  reader.postMessage({ memory, expected: new Uint8Array(content), stop } satisfies ToReadingThread)
  const descriptor = openSync(path, 'r')
  for (let round = 0; round < 300; round++) {
    expect(showFile(new Uint8Array(memory), descriptor, 0)).toBe(true)
    expect(own(new Uint8Array(memory))).toBe(true)
    await Bun.sleep(0)
  }
  closeSync(descriptor)
  Atomics.store(new Int32Array(stop), 0, 1)
  const { rounds, different } = await answered.promise
  reader.terminate()
  expect(different).toBe(-1)
  expect(rounds).toBeGreaterThan(10)
}, 30_000)
