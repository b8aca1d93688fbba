import { afterAll, expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
    if (message.type === 'kept') memory.answered(message.id, message.isKept)
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
