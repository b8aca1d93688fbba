/**
 * Entry point of the store thread: a worker that owns the writing side of the store and exchanges messages with its
 * handle in the main thread.
 */
import { isInstance, LatchkeyError, messageOf } from '../errors.ts'
import { changeLogLevel, configureLogging, passOnLog } from '../log/index.ts'
import { markStoreThread } from '../store-protocol/store-thread-mark.ts'
import type { FromThread, PlainError, ToThread } from '../store-protocol/thread-messages.ts'
import { StoreThread } from './store-thread.ts'

declare const self: Worker

markStoreThread()

let store: StoreThread | undefined
let isClosing = false

function post(message: FromThread): void {
  self.postMessage(message)
}

function plain(error: unknown): PlainError {
  if (isInstance(error, LatchkeyError)) return { code: error.code, message: error.message }
  return { code: 'internal', message: messageOf(error) }
}

async function start({ config, logging }: ToThread & { type: 'start' }): Promise<void> {
  if (logging.isPassedOn) passOnLog(logging.level, (record) => post({ type: 'log', record }))
  else configureLogging(logging)
  try {
    const loaded = await StoreThread.load(config, post)
    // If close() came during loading, nothing was started that would have to be ended.
    if (!isClosing) {
      store = loaded
      await store.run()
    }
    post({ type: 'closed' })
  } catch (error) {
    post({ type: 'failed', error: plain(error) })
  }
}

async function flush(id: number): Promise<void> {
  try {
    if (store === undefined) throw new LatchkeyError('recovering', 'Flushing: the store is still starting')
    post({ type: 'flushed', id, operations: await store.flush() })
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
      store?.confirmed(data.readerThread, data.version)
      break
    case 'flush':
      void flush(data.id)
      break
    case 'write':
      store?.write(data.partition, data)
      break
    case 'watch':
      store?.watch(data.readerThread, data.watching)
      break
    case 'snapshots-locked':
      store?.snapshotsLocked()
      break
    case 'kept':
    case 'checked':
      store?.kept(data)
      break
    case 'read-keys':
      store?.readKeys(data)
      break
    case 'log-level':
      changeLogLevel(data.level)
      break
    case 'roles':
      store?.want(data)
      break
    case 'close':
      isClosing = true
      void store?.close()
      break
  }
}
