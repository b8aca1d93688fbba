/** Access to store threads that the main thread has started: what they tell comes through it, and so does what is said to them. */
import { type FromThread, type ToThread } from '../store-protocol/messages.ts'
import { type StoreAccess, type StorePortEvents } from '../store/store-port.ts'

export class RelayedThreads implements StoreAccess {
  readonly readerThread: number
  readonly #post: (thread: number, message: ToThread) => void
  readonly #opened: StorePortEvents[] = []

  constructor(readerThread: number, post: (thread: number, message: ToThread) => void) {
    this.readerThread = readerThread
    this.#post = post
  }

  /** The main thread opens them in the same order: both act on what the threads before have told. */
  open(_config: unknown, _logging: unknown, events: StorePortEvents) {
    const thread = this.#opened.length
    this.#opened.push(events)
    return { post: (message: ToThread) => this.#post(thread, message), terminate: () => {} }
  }

  told(thread: number, message: FromThread): void {
    this.#opened[thread]?.received(message)
  }
}
