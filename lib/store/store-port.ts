/**
 * Access of a handle to its store thread: a worker that this thread starts, or messages through the thread that has
 * started it.
 */
import { startStoreThread } from '../store-thread/start.ts'
import { type FromThread, type StoreLogging, type ToThread } from '../store-protocol/messages.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'

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
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => events.received(data)
    worker.onerror = ({ message }) => events.ended(summaryOf(message, config.module !== undefined))
    worker.addEventListener('close', () => events.ended())
    const post = (message: ToThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer)
    post({ type: 'start', config, logging })
    return { post, terminate: () => void worker.terminate() }
  },
}

/** Reduces Bun's report of a worker's end to one line. The report has the error, the source around it, and a stack. */
function summaryOf(report: string, hasModule: boolean): string {
  const lines = report.split('\n')
  const error = /^\w*error: (.*)$/i.exec(lines.find((line) => /^\w*error: /i.test(line)) ?? '')?.[1] ?? lines[0]!
  const frame = lines.find((line) => /^\s+at /.test(line)) ?? ''
  const place = /^([^:]+:\d+):\d+\)?$/.exec(frame.split(/[/\\(\s]/).at(-1)!)?.[1]
  const where = place === undefined ? '' : `, at ${place}`
  return `${error}${where}${hasModule ? '; a promise or timer that the store module left behind?' : ''}`
}
