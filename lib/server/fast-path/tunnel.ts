/**
 * A connection to Bun's server, over which requests of one client are passed on byte by byte, one after the other: the next one follows when there is
 * all of the answer to the one before. The server's side is never paused, since Bun 1.4.5 tells nothing of the end of a socket that is:
 * what the client does not take of an answer is held.
 */
import type { Socket } from 'bun'
import type { PassedOn } from '../guard.ts'
import { AnswerEnd } from './answer-end.ts'
import { problemFor, unknownMethodRefusal } from './bare-answer.ts'
import { Outbox } from './outbox.ts'
import type { Reading } from './reading.ts'
import { RequestEnd } from './request-end.ts'
import type { SlotHolder, Slots } from './slots.ts'

/** Bun's server, on this machine. */
export interface Behind {
  readonly port: number
  readonly passedOn: PassedOn
}

export interface TunnelClient {
  readonly socket: Pick<Socket<unknown>, 'end' | 'terminate'>
  readonly outbox: Outbox
  readonly reading: Reading
  /** The client is on this machine. */
  readonly isLocal: boolean
  /** A request was answered; `rest` is what has come behind it. */
  answered(rest: Uint8Array): void
}

/** Of what the server is not to have yet: beyond it no more is read. */
const waitingBytesMax = 65_536
const nothing = new Uint8Array()

export class Tunnel implements SlotHolder {
  readonly #client: TunnelClient
  readonly #behind: Behind
  readonly #slots: Slots
  #hasSlot = false
  #server: Socket<undefined> | undefined
  #toServer: Outbox | undefined
  /** Of our connection to the server. */
  #port = 0
  /** Both are undefined while nothing is passed on. */
  #request: RequestEnd | undefined
  #answer: AnswerEnd | undefined
  /** What the client has sent and the server has not got. */
  #waiting: Uint8Array = nothing
  #hasClientEnded = false
  #isClientGone = false
  #isServerGone = false
  #idleTicks = 0

  constructor(client: TunnelClient, behind: Behind, slots: Slots) {
    this.#client = client
    this.#behind = behind
    this.#slots = slots
    slots.take(this)
  }

  begin(): void {
    this.#hasSlot = true
    void this.#connect(this.#behind.port)
  }

  /** A request is on its way, or its answer. */
  get isPassing(): boolean {
    return this.#request !== undefined
  }

  /** It has a server, who then decides how long a request may take. */
  get hasServer(): boolean {
    return !this.#isServerGone
  }

  /** Passes on a request; nothing is passed on now. @param bytes its beginning, and perhaps more than all of it */
  pass(bytes: Uint8Array): void {
    this.#request = new RequestEnd()
    this.#answer = new AnswerEnd()
    this.#waiting = nothing
    this.#slots.use(this)
    this.received(bytes)
  }

  received(bytes: Uint8Array): void {
    if (this.#isServerGone) return
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes])
    this.#proceed()
  }

  /** There is room for more to the client. */
  drained(): void {
    if (!this.#client.outbox.drain()) return
    if (this.#isServerGone) this.#client.socket.end()
    else this.#proceed()
  }

  /** The client sends no more; the server hears of it where it waits for the rest of a request. */
  clientEnded(): void {
    this.#hasClientEnded = true
    this.#passEndOn()
  }

  clientClosed(): void {
    this.#isClientGone = true
    this.#slots.cancel(this)
    this.#server?.terminate()
  }

  /** Once a second while nothing is passed on: a connection that is used no more is given up before the server may do so. */
  tick(): void {
    if (!this.isPassing && ++this.#idleTicks >= 2) this.yield()
  }

  yield(): void {
    this.#isServerGone = true
    this.#server?.end()
  }

  /** Ends the server's side, answered or not. */
  cut(): void {
    this.#isServerGone = true
    this.#slots.cancel(this)
    this.#server?.terminate()
  }

  async #connect(port: number): Promise<void> {
    try {
      await Bun.connect<undefined>({
        hostname: '127.0.0.1',
        port,
        socket: {
          open: (server) => this.#reached(server),
          data: (_, bytes) => this.#answered(bytes),
          drain: () => {
            if (this.#toServer?.drain()) this.#proceed()
          },
          close: () => this.#serverClosed(),
          error: (server) => server.terminate(),
        },
      })
    } catch {
      // No descriptor is left, or the server has been stopped.
      this.#isServerGone = true
      this.#freeSlot()
      this.#client.socket.terminate()
    }
  }

  #reached(server: Socket<undefined>): void {
    if (this.#isClientGone || this.#isServerGone) return void server.end()
    this.#server = server
    this.#toServer = new Outbox(server)
    this.#port = server.localPort
    this.#behind.passedOn.set(this.#port, this.#client.isLocal)
    this.#send()
  }

  /** Sends what belongs to the request, and no more than the server takes. */
  #send(): void {
    if (this.#toServer?.isEmpty && this.#request && !this.#request.isComplete && this.#waiting.length > 0) {
      const length = this.#request.take(this.#waiting)
      this.#toServer.send(this.#waiting.subarray(0, length))
      this.#waiting = this.#waiting.subarray(length)
    }
    this.#passEndOn()
    this.#client.reading.isPaused = this.#waiting.length > waitingBytesMax
  }

  #answered(received: Uint8Array): void {
    const isHead = this.#request?.isHead ?? false
    const bytes = (this.#answer?.isBegun === false ? problemFor(received, isHead) : undefined) ?? received
    const isAll = (this.#answer?.take(bytes, isHead) ?? 0) === bytes.length
    // A chunk of the socket is ours alone.
    this.#client.outbox.sendOwn(bytes)
    // It answers more than it was asked: nobody knows what any more.
    if (!isAll) this.#server?.end()
    else this.#proceed()
  }

  /** The answer may be complete before the request is: Bun's server does not wait for a body that no route reads. */
  #proceed(): void {
    this.#send()
    if (!this.#request?.isComplete || !this.#answer?.isComplete) return
    if (this.#request.isLast || this.#answer.isLast) return
    const rest = this.#waiting
    this.#request = undefined
    this.#answer = undefined
    this.#waiting = nothing
    this.#idleTicks = 0
    this.#slots.rest(this)
    this.#client.answered(rest)
  }

  #passEndOn(): void {
    const isOwed = this.#request !== undefined && !this.#request.isComplete && this.#waiting.length === 0
    if (this.#hasClientEnded && isOwed && this.#toServer?.isEmpty) this.#server?.shutdown()
  }

  #freeSlot(): void {
    if (this.#hasSlot) this.#slots.free(this)
    this.#hasSlot = false
  }

  #serverClosed(): void {
    this.#isServerGone = true
    this.#behind.passedOn.delete(this.#port)
    this.#freeSlot()
    if (!this.isPassing) return
    if (this.#request?.hasUnknownMethod && this.#answer?.isBegun === false)
      this.#client.outbox.send(unknownMethodRefusal())
    // What it still sends is read, and dropped: closed with bytes that nobody has read, it would be reset under its last answer.
    this.#waiting = nothing
    this.#client.reading.isPaused = false
    if (this.#client.outbox.isEmpty) this.#client.socket.end()
  }
}
