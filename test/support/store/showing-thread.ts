/** Shows a file in shared memory once that is kept, as a store thread does, and does not end by itself. */
import { openSync } from 'node:fs'
import { showFile } from '../../../lib/linux/mapped-memory.ts'
import type { FromThread, ToThread } from '../../../lib/store-protocol/thread-messages.ts'
import { KeptMemory } from '../../../lib/store-thread/snapshots/kept-memory.ts'

declare const self: Worker

export interface ToShowingThread {
  readonly type: 'show'
  readonly path: string
  readonly bytes: number
}

const memory = new KeptMemory((message) => self.postMessage(message))

async function show({ path, bytes }: ToShowingThread): Promise<void> {
  const buffer = new SharedArrayBuffer(bytes)
  const isKept = await memory.keep(buffer)
  if (!isKept || !showFile(new Uint8Array(buffer), openSync(path, 'r'), 0)) throw new Error('it is not shown')
  self.postMessage({ type: 'caught-up' } satisfies FromThread)
}

self.onmessage = ({ data }: MessageEvent<ToShowingThread | ToThread>) => {
  if (data.type === 'show') void show(data)
  if (data.type === 'kept') memory.answered(data)
}
