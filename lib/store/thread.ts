/** Entry point of the store thread: a worker that owns the store's writing side and talks with its handle in the main thread. */
import { LatchkeyError, messageOf } from '../errors.ts'
import { configureLogging } from '../log.ts'
import { type FromThread, type PlainError, type ToThread } from './messages.ts'
import { StoreThread } from './store-thread.ts'

declare const self: Worker

let store: StoreThread | undefined

function post(message: FromThread): void {
  self.postMessage(message)
}

function plain(error: unknown): PlainError {
  if (error instanceof LatchkeyError) return { code: error.code, message: error.message }
  return { code: 'internal', message: messageOf(error) }
}

async function start({ config, logging }: ToThread & { type: 'start' }): Promise<void> {
  configureLogging(logging)
  store = new StoreThread(config, post)
  try {
    await store.run()
    post({ type: 'closed' })
  } catch (error) {
    post({ type: 'failed', error: plain(error) })
  }
}

async function flush(id: number): Promise<void> {
  try {
    post({ type: 'flushed', id, operations: await store!.flush() })
  } catch (error) {
    post({ type: 'flush-failed', id, error: plain(error) })
  }
}

self.onmessage = ({ data }: MessageEvent<ToThread>) => {
  switch (data.type) {
    case 'start':
      void start(data)
      break
    case 'confirmed':
      store?.confirmed(data.version)
      break
    case 'flush':
      void flush(data.id)
      break
    case 'close':
      void store?.close()
      break
  }
}
