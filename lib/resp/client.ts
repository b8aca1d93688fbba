/**
 * A client as its commands see it: the arguments of the command, where replies go, and what the client has said about
 * itself. The conversation with it is in session.ts.
 */
import { CommandReader } from './command-reader.ts'
import { ClientPushes } from './push/client-pushes.ts'
import type { PushFault } from './push/push-queue.ts'
import { type ReplyOutput, ReplyWriter } from './reply-writer.ts'
import type { RespContext } from './resp-context.ts'

/** Both ends of the client's connection, as `address:port`. */
export interface ClientEnds {
  readonly client: string
  readonly server: string
}

export class Client {
  readonly context: RespContext
  readonly ends: ClientEnds
  readonly id: number
  readonly openedAt = performance.now()
  /** Arguments of the command that is carried out. Not to be used after a wait. */
  readonly args: CommandReader
  readonly replies: ReplyWriter
  readonly pushes: ClientPushes
  #name = ''
  #libraryName = ''
  #libraryVersion = ''
  #isAuthenticated: boolean
  #isOver = false
  #bytesRead = 0

  /** @param fail called if what is to be pushed cannot be */
  constructor(context: RespContext, output: ReplyOutput, ends: ClientEnds, fail: (fault: PushFault) => void) {
    this.context = context
    this.ends = ends
    this.id = context.nextId()
    this.#isAuthenticated = !context.token.isRequired
    this.args = new CommandReader(this.#isAuthenticated)
    this.replies = new ReplyWriter(output)
    this.pushes = new ClientPushes(context.notifier, context.stats, this.replies, fail)
  }

  /** Names that the client has given; empty if it has not. */
  get name(): string {
    return this.#name
  }

  get libraryName(): string {
    return this.#libraryName
  }

  get libraryVersion(): string {
    return this.#libraryVersion
  }

  /** The client has sent the token, or needs none. */
  get isAuthenticated(): boolean {
    return this.#isAuthenticated
  }

  /** No further command is answered. */
  get isOver(): boolean {
    return this.#isOver || this.replies.isClosed
  }

  /** Bytes of values that commands have read in this turn. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** In RESP2, a client with subscriptions may only change them: replies to other commands would look like messages. */
  get isSubscriber(): boolean {
    return this.pushes.subscriptions > 0 && !this.replies.isResp3
  }

  setName(name: string): void {
    this.#name = name
  }

  setLibrary({ name = this.#libraryName, version = this.#libraryVersion }): void {
    this.#libraryName = name
    this.#libraryVersion = version
  }

  /** The client has sent the token. */
  authenticated(): void {
    this.#trust(true)
  }

  /** The client is as it was after it had connected. */
  reset(): void {
    this.pushes.reset()
    this.replies.speak(2)
    this.#name = ''
    this.#trust(!this.context.token.isRequired)
  }

  /** A command has read so many bytes, whether or not they are in its reply. */
  hasRead(bytes: number): void {
    this.#bytesRead += bytes
  }

  /** To be called when its commands get a turn. */
  beginTurn(): void {
    this.#bytesRead = 0
  }

  /** No further command is answered. The connection ends with the replies so far. */
  end(): void {
    this.#isOver = true
  }

  #trust(isAuthenticated: boolean): void {
    this.#isAuthenticated = isAuthenticated
    this.args.trust(isAuthenticated)
  }
}
