/** A client's connection of the Redis protocol: between its socket and its session (lib/resp). */
import type { Socket } from 'bun'
import { pendingBytesMax, type RespContext, Session } from '../../resp/index.ts'
import type { HeldAnswers } from '../fast-path/held-answers.ts'
import { Reading } from '../fast-path/reading.ts'
import { WriteBuffer } from '../fast-path/write-buffer.ts'
import { type RespCloseReason, RespLog } from './resp-log.ts'

/** Time without progress: of a client that takes no replies, sends no rest of a command, or no token. */
const stalledTicks = 30

/** State that all connections share. */
export interface RespHost {
  readonly context: RespContext
  /** Replies that clients have not taken. */
  readonly held: HeldAnswers
  /** Commands that have not arrived completely, or that wait for earlier ones. */
  readonly heldCommands: HeldAnswers
  /** Clock, in ticks. */
  readonly ticks: number
}

export class RespConnection {
  readonly #host: RespHost
  readonly #socket: Socket<unknown>
  readonly #writeBuffer: WriteBuffer
  readonly #reading: Reading
  readonly #session: Session
  /** Undefined unless this thread logs debug. */
  readonly #log: RespLog | undefined
  /** The client sends nothing more. */
  #hasEnded = false
  /** The server stops: the connection ends with the command in progress. */
  #isFinishing = false
  #isClosed = false
  #isHolding = false
  /** When the client last sent or took bytes. */
  #activeAt: number

  constructor(host: RespHost, socket: Socket<unknown>) {
    this.#host = host
    this.#socket = socket
    this.#writeBuffer = new WriteBuffer(socket, host.held)
    this.#reading = new Reading(socket)
    this.#activeAt = host.ticks
    const ends = {
      client: endOf(socket.remoteAddress, socket.remotePort),
      server: endOf(socket.localAddress, socket.localPort),
    }
    this.#log = RespLog.of(ends.client)
    this.#session = new Session(host.context, {
      output: this.#writeBuffer,
      ends,
      onProceeded: () => this.#settle(),
    })
  }

  received(bytes: Uint8Array): void {
    // A client that sends commands and takes no replies makes no progress.
    if (this.#writeBuffer.isEmpty) this.#activeAt = this.#host.ticks
    this.#session.received(bytes)
    this.#settle()
  }

  /** The client has taken some of the waiting bytes. */
  drained(): void {
    this.#activeAt = this.#host.ticks
    this.#writeBuffer.drain()
    this.#session.proceed()
    this.#settle()
  }

  ended(): void {
    this.#hasEnded = true
    this.#log?.closing('its end was received')
    this.#settle()
  }

  /** @param error what ended the socket, if any */
  closed(error?: unknown): void {
    this.#isClosed = true
    this.#log?.closed(error)
    this.#session.close()
    this.#writeBuffer.close()
    this.#host.heldCommands.release(this.#socket)
  }

  /** Closes the connection when the commands that have arrived are answered. */
  finish(): void {
    this.#isFinishing = true
    this.#log?.closing('the server stops')
    this.#settle()
  }

  /** Ends the connection with the replies so far, if its client was let in before. Redis closes such clients, too. */
  leave(): boolean {
    if (!this.#session.isAuthenticated) return false
    this.#log?.closing('another token is required')
    this.#session.revoke()
    this.#settle()
    return true
  }

  /** Closes the connection if its client makes no progress. An idle client that owes nothing may stay. */
  expire(): void {
    const isOwing = !this.#writeBuffer.isEmpty || this.#session.pending > 0 || this.#session.isOver
    if (this.#session.isWaiting || (!isOwing && this.#session.isAuthenticated)) {
      // What is pushed to an idle client, or answered after a wait, begins its time.
      if (this.#writeBuffer.isEmpty) this.#activeAt = this.#host.ticks
      return
    }
    if (this.#host.ticks - this.#activeAt <= stalledTicks) return
    this.#log?.closing(this.#stalledReason())
    this.#socket.terminate()
  }

  #stalledReason(): RespCloseReason {
    if (!this.#writeBuffer.isEmpty) return 'it did not take its replies'
    return this.#session.pending > 0 ? 'its command was incomplete for too long' : 'it did not send the token'
  }

  /** After any event: ends, pauses or resumes the connection, and counts what it holds. */
  #settle(): void {
    if (this.#isClosed) return
    const session = this.#session
    const isDone = session.isOver || ((this.#hasEnded || this.#isFinishing) && !session.isHeld)
    if (isDone && !session.isWaiting && this.#writeBuffer.isEmpty) {
      if (session.isOver) this.#log?.closing(session.fault ?? 'it has quit, or what it sent was no command')
      session.end()
      this.#socket.end()
    }
    const { pending } = session
    this.#reading.isPaused = session.isHeld && pending > pendingBytesMax && !session.isOver
    if (pending > 0) this.#host.heldCommands.hold(this.#socket, session.memory)
    else if (this.#isHolding) this.#host.heldCommands.release(this.#socket)
    this.#isHolding = pending > 0
  }
}

function endOf(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
