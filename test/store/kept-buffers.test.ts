import { afterAll, expect, test } from 'bun:test'
import { closeSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { reset, showFile } from '../../lib/linux/mapped-memory.ts'
import { sumOf } from '../../lib/map/snapshot/sealed-json.ts'
import type { FromThread } from '../../lib/store-protocol/thread-messages.ts'
import { KeptMemory } from '../../lib/store-thread/snapshots/kept-memory.ts'
import { KeptBuffers } from '../../lib/store/kept-buffers.ts'
import { temporaryFolder } from '../support/process/temporary-folder.ts'
import type { ToShowingThread } from '../support/store/showing-thread.ts'

const folder = temporaryFolder('kept-buffers')
const bufferBytes = 32 << 20

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The two ends, without a thread between them. */
function ends(canKeep?: boolean) {
  const kept: KeptBuffers = new KeptBuffers((message) => {
    if (message.type === 'kept' || message.type === 'checked') memory.answered(message)
  }, canKeep)
  const memory: KeptMemory = new KeptMemory((message) => kept.received(message))
  return { kept, memory }
}

test('a buffer is kept until it is released', async () => {
  const { kept, memory } = ends(true)
  const [first, second] = [new SharedArrayBuffer(8), new SharedArrayBuffer(8)]
  expect(await Promise.all([memory.keep(first), memory.keep(second)])).toEqual([true, true])
  expect(kept.size).toBe(2)
  memory.release(first)
  memory.release(first)
  expect(kept.size).toBe(1)
  memory.release(second)
  expect(kept.size).toBe(0)
})

test('a thread that may end before the process keeps nothing', async () => {
  const { kept, memory } = ends(false)
  const buffer = new SharedArrayBuffer(8)
  expect(await memory.keep(buffer)).toBe(false)
  memory.release(buffer)
  expect(kept.size).toBe(0)
})

test('a buffer that shows a file is checked by the thread that keeps it, until the store has started', async () => {
  const { memory } = ends(true)
  const path = join(folder, 'checked')
  const content = Buffer.alloc(1 << 20, 'content')
  writeFileSync(path, content)
  const buffer = new SharedArrayBuffer(content.length)
  const shown = new Uint8Array(buffer)
  expect(memory.check(shown, '')).toBeUndefined()
  await memory.keep(buffer)
  const descriptor = openSync(path, 'r')
  expect(showFile(shown, descriptor, 0)).toBe(true)
  closeSync(descriptor)
  const sum = sumOf(content)
  expect(await memory.check(shown, sum)).toBe('right')
  expect(await memory.check(shown.subarray(0, 8192), sum)).toBe('wrong')
  expect(await memory.check(shown.subarray(4096), sumOf(content.subarray(4096)))).toBe('right')
  memory.started()
  expect(memory.check(shown, sum)).toBeUndefined()
  reset(shown)
  memory.release(buffer)
})

test('a check of a file that was cut off finds that it cannot be read', async () => {
  const { memory } = ends(true)
  const path = join(folder, 'cut-off')
  writeFileSync(path, Buffer.alloc(1 << 20, 'content'))
  const buffer = new SharedArrayBuffer(1 << 20)
  const shown = new Uint8Array(buffer)
  await memory.keep(buffer)
  const descriptor = openSync(path, 'r')
  expect(showFile(shown, descriptor, 0)).toBe(true)
  closeSync(descriptor)
  truncateSync(path, 4096)
  expect(await memory.check(shown, '')).toBe('unreadable')
  reset(shown)
  memory.release(buffer)
})

test('messages for others are passed on', () => {
  const { kept } = ends(true)
  expect(kept.received({ type: 'caught-up' })).toBe(false)
})

test('new memory is zero after a thread was ended while its memory showed a file', async () => {
  const path = join(folder, 'file')
  writeFileSync(path, Buffer.alloc(bufferBytes, 'content'))
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(new URL('../support/store/showing-thread.ts', import.meta.url))
    const kept = new KeptBuffers((message) => worker.postMessage(message))
    const shown = Promise.withResolvers<void>()
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
      if (!kept.received(data)) shown.resolve()
    }
    worker.onerror = ({ message }) => shown.reject(new Error(message))
    worker.postMessage({ type: 'show', path, bytes: bufferBytes } satisfies ToShowingThread)
    await shown.promise
    const { promise, resolve } = Promise.withResolvers<Event>()
    worker.addEventListener('close', resolve)
    worker.terminate()
    await promise
    Bun.gc(true)
    for (let i = 0; i < 3; i++) {
      const memory = new Uint8Array(new SharedArrayBuffer(bufferBytes))
      let isZero = true
      for (let at = 0; at < bufferBytes; at += 4096) isZero &&= memory[at] === 0
      expect(isZero).toBe(true)
    }
  }
})
