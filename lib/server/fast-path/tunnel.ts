/**
 * A connection to Bun's server. It passes on requests of a client, one after the other. The server's side is never paused:
 * Bun 1.4.5 does not report the end of a paused socket. Bytes that the client does not take are held.
 */
import type { Socket } from 'bun'
import { AnswerEnd } from './answer-end.ts'
import { problemFor, unknownMethodRefusal } from './bare-answer.ts'
import type { TunnelClient, Upstream } from './connection-host.ts'
import { hasHead } from './plain-request.ts'
import { RequestEnd } from './request-end.ts'
import type { SlotHolder, Slots } from './slots.ts'
import { WriteBuffer } from './write-buffer.ts'

/** Bytes that the server must not get yet. Beyond it, the client is not read. */
const waitingBytesMax = 65_536
/** Time for a request to arrive, after which its tunnel is dropped if others wait. Bun's server allows 12 s for a head. */
const slowRequestTicks = 3
const nothing = new Uint8Array()

export class Tunnel implements SlotHolder {
  readonly #client: TunnelClient
  readonly #upstream: Upstream
  readonly #slots: Slots
  #hasSlot = false
  #server: Socket | undefined
  #toServer: WriteBuffer | undefined
  /** Local port of the connection to the server. */
  #port = 0
  /** Both are undefined while no request is in progress. */
  #request: RequestEnd | undefined
  #answer: AnswerEnd | undefined
  /** Bytes that the client has sent and the server has not got. */
  #waiting: Uint8Array = nothing
  #hasClientEnded = false
  #isClientGone = false
  #isServerGone = false
  /** Bytes of responses received since the client last had taken all. */
  #held = 0
  #idleTicks = 0
  #requestTicks = 0

  constructor(client: TunnelClient, upstream: Upstream, slots: Slots) {
    this.#client = client
    this.#upstream = upstream
    this.#slots = slots
    slots.acquire(this)
  }

  begin(): void {
    this.#hasSlot = true
    void this.#connect(this.#upstream.port)
  }

  /** A request is in progress. */
  get isPassing(): boolean {
    return this.#request !== undefined
  }

  /** An interim response is possible: a response is being made, of HTTP/1.1. */
  get mayProbe(): boolean {
    return this.#request !== undefined && this.#request.isComplete && !this.#request.isLast && !this.#answer!.isBegun
  }

  /** The server side is open, or will be. The server then decides how long a request may take. */
  get hasServer(): boolean {
    return !this.#isServerGone
  }

  /**
   * Passes on a request. No other request may be in progress.
   * @param bytes the beginning of the request, and perhaps more than all of it
   */
  pass(bytes: Uint8Array): void {
    this.#request = new RequestEnd()
    this.#answer = new AnswerEnd()
    this.#waiting = nothing
    this.#requestTicks = 0
    this.#client.log?.requested()
    this.#slots.use(this)
    this.received(bytes)
  }

  received(bytes: Uint8Array): void {
    if (this.#isServerGone) return
    this.#waiting = this.#waiting.length === 0 ? bytes : Buffer.concat([this.#waiting, bytes])
    if (!this.#hasSlot && hasHead(this.#waiting)) this.#slots.ready(this)
    this.#proceed()
  }

  /** The client's socket has room again. */
  drained(): void {
    if (!this.#client.writeBuffer.drain()) return
    this.#passed()
    if (this.#isServerGone) this.#client.socket.end()
    else this.#proceed()
  }

  /** The client sends nothing more. The server gets this end if it waits for the rest of a request. */
  clientEnded(): void {
    this.#hasClientEnded = true
    this.#passEndOn()
  }

  clientClosed(): void {
    this.#isClientGone = true
    this.#slots.cancel(this)
    this.#server?.terminate()
  }

  /** To be called once a second. Drops a tunnel that is idle for two ticks, before the server may close it. */
  tick(): void {
    if (!this.isPassing && ++this.#idleTicks >= 2) this.yield()
    else if (this.#hasSlot && this.#request?.isComplete === false && ++this.#requestTicks === slowRequestTicks) {
      this.#slots.rest(this)
    }
  }

  /** A request in progress has its whole answer, or has a head that does not end: the client's connection ends, too. */
  yield(): void {
    this.#isServerGone = true
    if (this.isPassing) this.#server?.terminate()
    else this.#server?.end()
  }

  /** Terminates the server's side, answered or not. */
  destroy(): void {
    this.#isServerGone = true
    this.#slots.cancel(this)
    this.#server?.terminate()
  }

  async #connect(port: number): Promise<void> {
    try {
      await Bun.connect({
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
      // No descriptor is left, or the server was stopped.
      this.#isServerGone = true
      this.#freeSlot()
      this.#client.log?.closing("no connection to Bun's server")
      this.#client.socket.terminate()
    }
  }

  #reached(server: Socket): void {
    if (this.#isClientGone || this.#isServerGone) return void server.end()
    this.#server = server
    this.#toServer = new WriteBuffer(server)
    this.#port = server.localPort
    this.#upstream.forwarded.add(this.#port, this.#client.isLocal)
    this.#client.log?.tunnelOpened(this.#port)
    this.#send()
  }

  /** Sends the bytes of the request, at most as many as the server takes. */
  #send(): void {
    if (this.#toServer?.isEmpty && this.#request && !this.#request.isComplete && this.#waiting.length > 0) {
      const length = this.#request.consume(this.#waiting)
      if (this.#request.isComplete) this.#slots.use(this)
      this.#toServer.send(this.#waiting.subarray(0, length))
      this.#waiting = this.#waiting.subarray(length)
    }
    this.#passEndOn()
    this.#client.reading.isPaused = this.#waiting.length > waitingBytesMax
  }

  #answered(received: Uint8Array): void {
    const isHead = this.#request?.isHead ?? false
    const bytes = (this.#answer?.isBegun === false ? problemFor(received, isHead) : undefined) ?? received
    const wasComplete = this.#answer?.isComplete ?? true
    const { length } = bytes
    const isAll = (this.#answer?.consume(bytes, isHead) ?? 0) === bytes.length
    if (!wasComplete && this.#answer?.isComplete) this.#logAnswered()
    // A received chunk is not shared, so its memory may be freed.
    this.#client.writeBuffer.sendOwn(bytes)
    this.#held += length
    this.#passed()
    if (this.#answer?.isComplete) this.#upstream.forwarded.received(this.#port)
    // The server sent more than one response: they can no longer be assigned to requests.
    if (!isAll) this.#server?.end()
    else this.#proceed()
  }

  /** The response may be complete before the request: Bun's server does not wait for a body that no route reads. */
  #proceed(): void {
    this.#send()
    if (!this.#request || !this.#answer?.isComplete || this.#isServerGone) return
    if (!this.#request.isComplete || this.#request.isLast || this.#answer.isLast) return this.#slots.rest(this)
    const rest = this.#waiting
    this.#request = undefined
    this.#answer = undefined
    this.#waiting = nothing
    this.#idleTicks = 0
    this.#slots.rest(this)
    this.#client.answered(rest)
  }

  #passed(): void {
    if (!this.#client.writeBuffer.isEmpty) return
    this.#client.progressed()
    this.#upstream.forwarded.passed(this.#port, this.#held)
    this.#held = 0
  }

  #passEndOn(): void {
    const isOwed = this.#request !== undefined && !this.#request.isComplete && this.#waiting.length === 0
    if (this.#hasClientEnded && isOwed && this.#toServer?.isEmpty) this.#server?.shutdown()
  }

  #logAnswered(): void {
    this.#client.log?.answered(this.#request!.method, this.#answer!.status, this.#answer!.bodyBytes, "Bun's server")
  }

  #freeSlot(): void {
    if (this.#hasSlot) this.#slots.free(this)
    this.#hasSlot = false
  }

  #serverClosed(): void {
    this.#isServerGone = true
    this.#upstream.forwarded.delete(this.#port)
    this.#freeSlot()
    if (this.#server !== undefined) this.#client.log?.tunnelClosed(this.#port)
    if (!this.isPassing) return
    const isCut = this.#answer?.isComplete === false
    if (this.#request?.hasUnknownMethod && this.#answer?.isBegun === false) {
      const refusal = unknownMethodRefusal()
      this.#answer.consume(refusal, false)
      this.#client.writeBuffer.send(refusal)
    }
    if (isCut) this.#logAnswered()
    this.#client.log?.closing(this.#answer?.isLast ? 'its last response was sent' : "Bun's server closed the tunnel")
    // Bytes that the client still sends are read and dropped. A socket closed with unread bytes would be reset, and the
    // client would lose its last response.
    this.#waiting = nothing
    this.#client.reading.isPaused = false
    if (this.#client.writeBuffer.isEmpty) this.#client.socket.end()
  }
}
