/**
 * The conversation with one client: commands in, replies out, in the order of the commands. A command that has to wait,
 * for a reader or a schema, holds up those behind it. Sockets are not its concern.
 */
import { Client, type ClientEnds } from './client.ts'
import { commandOf, refuseSubscriber, refuseUnknown } from './commands/index.ts'
import { errorReply } from './error-reply.ts'
import { clockArguments, turnArgumentsMax, turnBytesMax, waitingBytesMax } from './limits.ts'
import { ProtocolError } from './protocol-error.ts'
import type { PushFault } from './push/push-queue.ts'
import type { ReplyOutput } from './reply-writer.ts'
import type { RespContext } from './resp-context.ts'

export interface SessionOptions {
  readonly output: ReplyOutput
  readonly ends: ClientEnds
  /** Called when commands were carried out after a wait. */
  readonly onProceeded: () => void
}

export class Session {
  readonly #client: Client
  readonly #onProceeded: () => void
  #isWaiting = false
  #fault: PushFault | undefined
  /** Arguments of the commands of this turn. */
  #turnArguments = 0
  /** Arguments at which the clock is read next. */
  #clockAt = 0

  constructor(context: RespContext, { output, ends, onProceeded }: SessionOptions) {
    this.#onProceeded = onProceeded
    this.#client = new Client(context, output, ends, (fault) => this.#fail(fault))
  }

  get id(): number {
    return this.#client.id
  }

  /** The client has sent the token, or needs none. */
  get isAuthenticated(): boolean {
    return this.#client.isAuthenticated
  }

  /** Bytes of commands that have arrived and are not carried out. */
  get pending(): number {
    return this.#client.args.pending
  }

  /** Memory that they keep, roughly. */
  get memory(): number {
    return this.#client.args.memory
  }

  /** No further command is answered. */
  get isOver(): boolean {
    return this.#client.isOver
  }

  /** A command is in progress, and waits. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Commands have to wait: for an earlier one, or for the client to take replies. */
  get isHeld(): boolean {
    return this.#isWaiting || this.#client.replies.waiting > waitingBytesMax
  }

  /** Why no further command is answered; undefined if the client is the reason. */
  get fault(): PushFault | undefined {
    return this.#fault
  }

  /** @param bytes not to be changed afterwards */
  received(bytes: Uint8Array): void {
    if (this.isOver) return
    this.#client.args.add(bytes)
    this.proceed()
  }

  /** Carries out the commands that have arrived. To be called when the client has taken replies. */
  proceed(): void {
    const { args, replies, pushes } = this.#client
    try {
      pushes.send()
      this.#turnArguments = 0
      this.#clockAt = clockArguments
      this.#client.beginTurn()
      while (!this.isHeld && !this.isOver && args.next()) {
        this.#carryOut()
        this.#turnArguments += args.count
        if (this.#isTurnOver && !this.isHeld) this.#awaitTurn()
      }
    } catch (thrown) {
      this.end()
      if (!(thrown instanceof ProtocolError)) throw thrown
      replies.error(`ERR Protocol error: ${thrown.message}`)
    } finally {
      replies.flush()
      pushes.send()
    }
  }

  /** No further command is answered. The connection ends with the replies so far. */
  end(): void {
    this.#client.end()
  }

  /** The client is not let in any more: no further command is answered, and nothing is pushed. */
  revoke(): void {
    this.end()
    this.#client.pushes.close()
  }

  /** The connection has ended: nothing of it is needed. */
  close(): void {
    this.end()
    this.#client.pushes.close()
    this.#client.args.release()
  }

  #fail(fault: PushFault): void {
    this.#fault ??= fault
    this.end()
    this.#onProceeded()
  }

  #carryOut(): void {
    const waits = this.#run(this.#client)
    if (waits instanceof Promise) this.#wait(waits)
  }

  get #isTurnOver(): boolean {
    if (this.#turnArguments > turnArgumentsMax || this.#client.bytesRead > turnBytesMax) return true
    if (this.#turnArguments <= this.#clockAt) return false
    this.#clockAt += clockArguments
    return this.#client.context.turns.isOver
  }

  #awaitTurn(): void {
    this.#isWaiting = true
    this.#client.context.turns.wait(() => this.#resume())
  }

  #wait(waits: Promise<void>): void {
    this.#isWaiting = true
    this.#client.pushes.hold()
    void this.#finish(waits)
  }

  async #finish(waits: Promise<void>): Promise<void> {
    try {
      await waits
    } catch (thrown) {
      this.#client.replies.error(errorReply(thrown))
    }
    this.#resume()
  }

  #resume(): void {
    this.#isWaiting = false
    this.#client.pushes.release()
    this.proceed()
    this.#onProceeded()
  }

  #run(client: Client): void | Promise<void> {
    const { args, context, replies } = client
    try {
      const command = commandOf(args)
      if (command === undefined) return refuseUnknown(client)
      context.stats.command(command.label)
      if (!client.isAuthenticated && !command.isOpen) return replies.error('NOAUTH Authentication required.')
      const { count } = args
      const isComplete = command.arity < 0 ? count >= -command.arity : count === command.arity
      if (!isComplete) {
        return replies.error(`ERR wrong number of arguments for '${command.name}' command`)
      }
      if (client.isSubscriber && !command.isForSubscribers) return refuseSubscriber(client, command)
      client.pushes.commandBegins(command.name === 'client')
      return command.run(client)
    } catch (thrown) {
      replies.error(errorReply(thrown))
    }
  }
}
