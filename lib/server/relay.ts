/**
 * The main thread's access to the store threads, which further HTTP threads share. They get the messages of the store
 * threads in the same order, and so reach the same view of the store.
 */
import type { LogLevel } from '../log/index.ts'
import type { FromThread, ToThread } from '../store-protocol/thread-messages.ts'
import { ownThreads, type StoreAccess, type StorePort } from '../store/store-port.ts'

type MessageListener = (thread: number, message: FromThread) => void

type WatchingMessage = FromThread & { type: 'watching' | 'published' | 'keys' }

interface Joined {
  readonly listener: MessageListener
  readonly readerThread: number
}

export class Relay {
  readonly #listeners: Joined[] = []
  readonly #ports: StorePort[] = []
  readonly #expected: number
  /** Messages so far, for listeners that have not joined yet. */
  #sent: { thread: number; message: FromThread }[] = []
  /** Flushes of listeners, by the id under which they were forwarded. */
  readonly #flushes = new Map<number, { listener: MessageListener; id: number }>()
  #lastFlush = 0
  /** Undefined if it is still that of the start. */
  #logLevel: LogLevel | undefined

  readonly #own: StoreAccess

  /**
   * @param expected number of listeners that will join
   * @param own access of the main thread to the store threads
   */
  constructor(expected: number, own: StoreAccess = ownThreads) {
    this.#expected = expected
    this.#own = own
  }

  /** For the store in the main thread. */
  readonly access: StoreAccess = {
    readerThread: 0,
    open: (config, logging, events) => {
      const thread = this.#ports.length
      const level = this.#logLevel ?? logging.level
      const port = this.#own.open(
        config,
        { ...logging, level },
        {
          received: (message) => {
            if (!this.#answerFlush(thread, message)) {
              this.#pass(thread, message)
              events.received(message)
            }
          },
          ended: (message) => events.ended(message),
        },
      )
      this.#ports.push(port)
      return port
    },
  }

  /** Changes the log level of the store threads, and of those that start later. */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = level
    for (const port of this.#ports) port.post({ type: 'log-level', level })
  }

  /**
   * Adds a listener. It gets all messages, beginning with those that it has missed.
   * @param readerThread number of its thread, for messages to single threads
   */
  join(listener: MessageListener, readerThread: number): void {
    this.#listeners.push({ listener, readerThread })
    for (const { thread, message } of this.#sent) listener(thread, message)
    if (this.#listeners.length >= this.#expected) this.#sent = []
  }

  /** Passes on a listener's message to a store thread. */
  post(listener: MessageListener, thread: number, message: ToThread): void {
    const port = this.#ports[thread]
    if (message.type !== 'flush') return isForwarded(message) ? port?.post(message) : undefined
    // Negative ids do not collide with flushes of the main thread.
    const id = --this.#lastFlush
    this.#flushes.set(id, { listener, id: message.id })
    port?.post({ type: 'flush', id })
  }

  #pass(thread: number, message: FromThread): void {
    if (isForWatching(message)) return this.#passTo(thread, message)
    if (!isForAll(message)) return
    if (this.#listeners.length < this.#expected) this.#sent.push({ thread, message })
    for (const { listener } of this.#listeners) listener(thread, message)
  }

  /** Passes on what only the threads want that watch the changes. */
  #passTo(thread: number, message: WatchingMessage): void {
    for (const { listener, readerThread } of this.#listeners) {
      const isMeant =
        message.type === 'published'
          ? message.readerThreads.includes(readerThread)
          : message.readerThread === readerThread
      if (isMeant) listener(thread, message)
    }
  }

  #answerFlush(thread: number, message: FromThread): boolean {
    if (message.type !== 'flushed' && message.type !== 'flush-failed') return false
    const flush = this.#flushes.get(message.id)
    if (flush === undefined) return false
    this.#flushes.delete(message.id)
    flush.listener(thread, { ...message, id: flush.id })
    return true
  }
}

function isForwarded({ type }: ToThread): boolean {
  return type === 'confirmed' || type === 'watch' || type === 'read-keys'
}

function isForWatching(message: FromThread): message is WatchingMessage {
  return message.type === 'watching' || message.type === 'published' || message.type === 'keys'
}

/** False for messages that concern the main thread alone: responses to flushes and writes, and log records. */
function isForAll({ type }: FromThread): boolean {
  return !['flushed', 'flush-failed', 'written', 'write-refused', 'log', 'closed'].includes(type)
}
