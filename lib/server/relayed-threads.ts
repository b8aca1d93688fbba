/**
 * Access to store threads that the main thread has started. All messages, in both directions, pass through the main
 * thread.
 */
import type { FromThread, ToThread } from '../store-protocol/thread-messages.ts'
import type { StoreAccess, StorePortEvents } from '../store/store-port.ts'

export class RelayedThreads implements StoreAccess {
  readonly readerThread: number
  readonly #post: (thread: number, message: ToThread) => void
  readonly #opened: StorePortEvents[] = []

  constructor(readerThread: number, post: (thread: number, message: ToThread) => void) {
    this.readerThread = readerThread
    this.#post = post
  }

  /** The main thread opens store threads in the same order: both act on the messages of the threads opened before. */
  open(_config: unknown, _logging: unknown, events: StorePortEvents) {
    const thread = this.#opened.length
    this.#opened.push(events)
    return { post: (message: ToThread) => this.#post(thread, message), terminate: () => {} }
  }

  received(thread: number, message: FromThread): void {
    this.#opened[thread]?.received(message)
  }
}
