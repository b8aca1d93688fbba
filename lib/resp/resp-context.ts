/** State that all connections of a thread share. */
import type { RespStats } from '../metrics/index.ts'
import { Token } from '../text/token.ts'
import { Turns } from '../turns.ts'
import { KeyCount } from './key-count.ts'
import { Notifier } from './push/notifier.ts'
import type { RespStore } from './store-view.ts'

export interface RespContextOptions {
  /** Required of every client. Absent if no token is required. */
  token?: Token | string | undefined
  /** Index of this thread among `threads`. */
  thread?: number
  threads?: number
  /** For INFO and CONFIG GET. */
  port?: number
  connectionsMax?: number
  turns?: Turns
}

export class RespContext {
  readonly store: RespStore
  readonly stats: RespStats
  readonly token: Token
  readonly connectionsMax: number
  readonly notifier: Notifier
  /** For INFO. */
  readonly keyCount: KeyCount
  /** Shared by the clients of this thread. */
  readonly turns: Turns
  #port: number
  #walks = 0
  readonly #thread: number
  readonly #threads: number
  #lastId = 0

  constructor(store: RespStore, stats: RespStats, options: RespContextOptions = {}) {
    const { token, thread = 0, threads = 1, port = 0, connectionsMax = Infinity, turns = new Turns() } = options
    this.store = store
    this.stats = stats
    this.notifier = new Notifier(store, turns, { threads, counted: (keys) => stats.addTrackedKeys(keys) })
    this.keyCount = new KeyCount(store)
    this.token = Token.of(token)
    this.#port = port
    this.connectionsMax = connectionsMax
    this.turns = turns
    this.#thread = thread
    this.#threads = threads
  }

  get port(): number {
    return this.#port
  }

  /** Walks of KEYS in progress. */
  get walks(): number {
    return this.#walks
  }

  listensAt(port: number): void {
    this.#port = port
  }

  beginWalk(): void {
    this.#walks++
  }

  endWalk(): void {
    this.#walks--
  }

  /** Returns an id that no other connection of the process has. */
  nextId(): number {
    return ++this.#lastId * this.#threads - this.#thread
  }
}
