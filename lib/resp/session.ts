/**
 * The conversation with one client: commands in, replies out, in the order of the commands. A command that has to wait,
 * for a reader or a schema, holds up those behind it. Sockets are not its concern.
 */
import { CommandReader } from './command-reader.ts'
import { commandOf, refuseUnknown } from './commands/index.ts'
import { errorReply } from './error-reply.ts'
import { turnArgumentsMax, turnBytesMax, waitingBytesMax } from './limits.ts'
import { nextTurn } from './next-turn.ts'
import { ProtocolError } from './protocol-error.ts'
import { type ReplyOutput, ReplyWriter } from './reply-writer.ts'
import type { RespContext } from './resp-context.ts'

/** Both ends of the client's connection, as `address:port`. */
export interface SessionEnds {
  readonly client: string
  readonly server: string
}

export interface SessionOptions {
  readonly output: ReplyOutput
  readonly ends: SessionEnds
  /** Called when commands were carried out after a wait. */
  readonly onProceeded: () => void
}

export class Session {
  readonly context: RespContext
  readonly ends: SessionEnds
  readonly id: number
  readonly openedAt = performance.now()
  /** Arguments of the command that is carried out. Not to be used after a wait. */
  readonly args: CommandReader
  readonly replies: ReplyWriter
  /** Names that the client has given. */
  name = ''
  libraryName = ''
  libraryVersion = ''
  readonly #onProceeded: () => void
  #isWaiting = false
  #isOver = false
  /** In this turn: arguments of commands, and bytes of values that they read. */
  #turnArguments = 0
  #turnBytes = 0

  constructor(context: RespContext, { output, ends, onProceeded }: SessionOptions) {
    this.context = context
    this.ends = ends
    this.id = context.nextId()
    this.args = new CommandReader(context.isToken === undefined)
    this.replies = new ReplyWriter(output)
    this.#onProceeded = onProceeded
  }

  /** The client has sent the token, or needs none. */
  get isAuthenticated(): boolean {
    return this.args.isTrusted
  }

  set isAuthenticated(isAuthenticated: boolean) {
    this.args.isTrusted = isAuthenticated
  }

  /** No further command is answered. */
  get isOver(): boolean {
    return this.#isOver || this.replies.isClosed
  }

  /** A command is in progress, and waits. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Commands have to wait: for an earlier one, or for the client to take replies. */
  get isHeld(): boolean {
    return this.#isWaiting || this.replies.waiting > waitingBytesMax
  }

  /** @param bytes not to be changed afterwards */
  received(bytes: Uint8Array): void {
    if (this.isOver) return
    this.args.add(bytes)
    this.proceed()
  }

  /** Carries out the commands that have arrived. To be called when the client has taken replies. */
  proceed(): void {
    try {
      this.#turnArguments = 0
      this.#turnBytes = 0
      while (!this.isHeld && !this.isOver && this.args.next()) {
        this.#carryOut()
        this.#turnArguments += this.args.count
        const isTurnOver = this.#turnArguments > turnArgumentsMax || this.#turnBytes > turnBytesMax
        if (isTurnOver && !this.isHeld) this.#wait(nextTurn())
      }
    } catch (thrown) {
      this.#isOver = true
      if (!(thrown instanceof ProtocolError)) throw thrown
      this.replies.error(`ERR Protocol error: ${thrown.message}`)
    } finally {
      this.replies.flush()
    }
  }

  /** A command has read so many bytes, whether or not they are in its reply. */
  hasRead(bytes: number): void {
    this.#turnBytes += bytes
  }

  /** No further command is answered. The connection ends with the replies so far. */
  end(): void {
    this.#isOver = true
  }

  /** The connection has ended: nothing of it is needed. */
  close(): void {
    this.end()
    this.args.release()
  }

  #carryOut(): void {
    const waits = this.#run()
    if (waits instanceof Promise) this.#wait(waits)
  }

  #wait(waits: Promise<void>): void {
    this.#isWaiting = true
    void this.#finish(waits)
  }

  async #finish(waits: Promise<void>): Promise<void> {
    try {
      await waits
    } catch (thrown) {
      this.replies.error(errorReply(thrown))
    }
    this.#isWaiting = false
    this.proceed()
    this.#onProceeded()
  }

  #run(): void | Promise<void> {
    try {
      const command = commandOf(this.args)
      if (command === undefined) return refuseUnknown(this)
      this.context.stats.command(command.label)
      if (!this.isAuthenticated && !command.isOpen) return this.replies.error('NOAUTH Authentication required.')
      const { count } = this.args
      const isComplete = command.arity < 0 ? count >= -command.arity : count === command.arity
      if (isComplete) return command.run(this)
      this.replies.error(`ERR wrong number of arguments for '${command.name}' command`)
    } catch (thrown) {
      this.replies.error(errorReply(thrown))
    }
  }
}
