/** How a handle reaches its store thread: as the worker that it starts, or through the thread that has started it. */
import { startStoreThread } from '../store-thread/start.ts'
import { type FromThread, type StoreLogging, type ToThread } from '../store-protocol/messages.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'

export interface StorePort {
  post(message: ToThread, transfer?: ArrayBuffer[]): void
  terminate(): void
}

export interface StorePortEvents {
  received(message: FromThread): void
  /** The thread has ended. @param message what it died of, where it did */
  ended(message?: string): void
}

/** What reaches a store thread from this one. */
export interface StoreAccess {
  /** Reaches the thread for these partitions, which begins unless it has; called for one thread after another in the same order everywhere. */
  open(config: StoreConfig, logging: StoreLogging, events: StorePortEvents): StorePort
  /** Which of the threads that read the store's memory this is, from 0. */
  readonly readerThread: number
}

/** Store threads as workers of this thread. */
export const ownThreads: StoreAccess = {
  readerThread: 0,
  open(config, logging, events) {
    const worker = startStoreThread()
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => events.received(data)
    worker.onerror = ({ message }) => events.ended(summaryOf(message, config.module !== undefined))
    worker.addEventListener('close', () => events.ended())
    const post = (message: ToThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer)
    post({ type: 'start', config, logging })
    return { post, terminate: () => void worker.terminate() }
  },
}

/** One line of what Bun reports of a worker's end: the error, with the source around it and a stack. */
function summaryOf(report: string, hasModule: boolean): string {
  const lines = report.split('\n')
  const error = /^\w*error: (.*)$/i.exec(lines.find((line) => /^\w*error: /i.test(line)) ?? '')?.[1] ?? lines[0]!
  const frame = lines.find((line) => /^\s+at /.test(line)) ?? ''
  const place = /^([^:]+:\d+):\d+\)?$/.exec(frame.split(/[/\\(\s]/).at(-1)!)?.[1]
  const where = place === undefined ? '' : `, at ${place}`
  return `${error}${where}${hasModule ? '; a promise or timer that the store module left behind?' : ''}`
}
