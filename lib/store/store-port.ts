/**
 * Access of a handle to its store thread: a worker that this thread starts, or messages through the thread that has
 * started it.
 */
import { describeEnd } from '../definition/index.ts'
import { isDebug } from '../log/index.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { FromThread, StoreLogging, ToThread } from '../store-protocol/thread-messages.ts'
import { startStoreThread } from '../store-thread/start.ts'
import { KeptBuffers } from './kept-buffers.ts'
import { ThreadLog } from './store-log.ts'

export interface StorePort {
  post(message: ToThread, transfer?: ArrayBuffer[]): void
  terminate(): void
}

export interface StorePortEvents {
  received(message: FromThread): void
  /**
   * The thread has ended.
   * @param message the error that ended it, if any
   */
  ended(message?: string): void
}

/** Access of this thread to the store threads. */
export interface StoreAccess {
  /**
   * Returns the port of the thread for these partitions. Starts the thread if it does not run. Every thread that reads
   * calls this for the same store threads in the same order.
   */
  open(config: StoreConfig, logging: StoreLogging, events: StorePortEvents): StorePort
  /** Number of this thread among those that read the store's memory, from 0. */
  readonly readerThread: number
}

/** Store threads as workers of this thread. */
export const ownThreads: StoreAccess = {
  readerThread: 0,
  open(config, logging, events) {
    const worker = startStoreThread()
    const log = isDebug() ? new ThreadLog(config.storeId, worker) : undefined
    const buffers = new KeptBuffers((message) => worker.postMessage(message))
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
      if (!buffers.received(data)) events.received(data)
    }
    worker.onerror = ({ message }) => events.ended(describeEnd(message, config.module !== undefined))
    worker.addEventListener('close', () => {
      log?.ended()
      events.ended()
    })
    // The thread may be ready. It gets nothing before the caller has done everything that can fail, such as to listen.
    let waiting: [ToThread, ArrayBuffer[]][] | undefined = [[{ type: 'start', config, logging }, []]]
    setImmediate(() => {
      for (const [message, transfer] of waiting!) worker.postMessage(message, transfer)
      waiting = undefined
    })
    const post = (message: ToThread, transfer: ArrayBuffer[] = []) => {
      if (waiting === undefined) worker.postMessage(message, transfer)
      else waiting.push([message, transfer])
    }
    const terminate = () => {
      log?.ended()
      worker.terminate()
    }
    return { post, terminate }
  },
}
