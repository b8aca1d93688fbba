/** A session of the Redis protocol without a socket. */
import { RespStats } from '../../../lib/metrics/index.ts'
import {
  commandLabels,
  type ReplyOutput,
  RespContext,
  type RespContextOptions,
  type RespStore,
  Session,
} from '../../../lib/resp/index.ts'
import { RespFakeStore } from './fake-store.ts'
import { command, repliesIn, type Reply } from './replies.ts'

/** Takes all replies at once, unless a test says otherwise. */
class Taken {
  /** What a client that takes nothing leaves. */
  bytes = 0
  isClosed = false
  writes = 0
  readonly #pieces: Buffer[] = []

  sendFrom(page: Uint8Array, length: number): void {
    this.writes++
    this.#pieces.push(Buffer.from(page.slice(0, length)))
  }

  sendOwn(bytes: Uint8Array): void {
    this.writes++
    this.#pieces.push(Buffer.from(bytes))
  }

  take(): Buffer {
    return Buffer.concat(this.#pieces.splice(0))
  }
}

export class Talk<Store extends RespStore = RespFakeStore> {
  readonly store: Store
  readonly stats = new RespStats(commandLabels)
  readonly output = new Taken()
  readonly context: RespContext
  session: Session

  constructor(options: RespContextOptions = {}, store: Store = new RespFakeStore() as RespStore as Store) {
    this.store = store
    this.context = new RespContext(store, this.stats, options)
    this.session = this.open()
  }

  /** Another client. */
  open(output: ReplyOutput = this.output): Session {
    const ends = { client: '127.0.0.1:50000', server: '127.0.0.1:6379' }
    return new Session(this.context, { output, ends, onProceeded: () => {} })
  }

  /** Sends bytes, and returns the replies that come at once. */
  now(bytes: string | Uint8Array): Reply[] {
    this.session.received(new Uint8Array(Buffer.from(bytes)))
    return repliesIn(this.output.take()).replies
  }

  /** Returns what comes without a command, when everything that has changed was sent. */
  async pushed(): Promise<Reply[]> {
    // A change is dispatched in one turn and sent in the next one, and a portion of them takes some turns.
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve))
    return repliesIn(this.output.take()).replies
  }

  /** Sends one command, and returns its reply when it comes. */
  async ask(...words: readonly (string | Uint8Array)[]): Promise<Reply> {
    const [reply] = await this.all(command(...words))
    return reply!
  }

  /** Sends bytes, and returns the replies when no command is in progress any more. */
  async all(bytes: string | Uint8Array): Promise<Reply[]> {
    this.session.received(new Uint8Array(Buffer.from(bytes)))
    while (this.session.isWaiting) await new Promise((resolve) => setImmediate(resolve))
    return repliesIn(this.output.take()).replies
  }
}
