/** A client's connection. Answers plain requests itself and passes others through a tunnel, one after the other. */
import type { Socket } from 'bun'
import type { Answer } from '../../http/answer.ts'
import { problemResponse } from '../../http/problem.ts'
import type { RequestHead } from '../../http/request-head.ts'
import type { ConnectionHost, TunnelClient } from './connection-host.ts'
import { ConnectionLog } from './connection-log.ts'
import type { Holder } from './held-answers.ts'
import { HostCheck } from './host-check.ts'
import type { PlainHead, PlainRequest } from './plain-request.ts'
import { Reading } from './reading.ts'
import { RequestBuffer } from './request-buffer.ts'
import { type RespondingConnection, ResponseSender } from './response-sender.ts'
import { writeText } from './response-writer.ts'
import { Tunnel } from './tunnel.ts'
import { WriteBuffer } from './write-buffer.ts'

/** Maximum size of requests that wait for an earlier response. Beyond it, the socket is not read. */
const waitingBytesMax = 65_536

/** Time for the rest of a head. With the tick in which it begins, this is the 12 s that Bun's server allows. */
const partialHeadTicks = 10

/** Slack beyond twice the idle time of a connection. */
const tunnelSlackTicks = 15

/** Of a request that is answered at once, also when the turn is over. Larger ones may ask for thousands of keys. */
const smallBytes = 2_048

/** All clients of HTTP/1.1 accept it (RFC 9110, section 15.2). */
const interimResponse = 'HTTP/1.1 100 Continue\r\n\r\n'

export class ClientConnection implements Holder, RespondingConnection {
  /** Undefined unless this thread logs debug. */
  readonly log: ConnectionLog | undefined
  readonly #host: ConnectionHost
  readonly socket: Socket<unknown>
  readonly #requestBuffer: RequestBuffer
  readonly writeBuffer: WriteBuffer
  readonly #reading: Reading
  readonly #hosts: HostCheck
  readonly #sender: ResponseSender
  #head: PlainHead | undefined
  #tunnel: Tunnel | undefined
  /** Other clients are answered before its next request. */
  #awaitsTurn = false
  /** The client sends nothing more. */
  #hasEnded = false
  #isProbed = false
  /** The fast path stops: the connection ends with the responses in progress. */
  #isFinishing = false
  #activeAt: number

  constructor(host: ConnectionHost, socket: Socket<unknown>) {
    this.#host = host
    this.socket = socket
    this.log = ConnectionLog.of(socket, host.storeId)
    this.#requestBuffer = new RequestBuffer(host.bodies)
    this.writeBuffer = new WriteBuffer(socket, host.held, this)
    this.#reading = new Reading(socket)
    this.#hosts = new HostCheck(host.hostRule, socket)
    this.#sender = new ResponseSender(host, this)
    this.#activeAt = host.ticks
  }

  received(bytes: Buffer): void {
    // Bytes after the last response are dropped and keep no connection open.
    const isPassing = this.#tunnel?.isPassing ?? false
    if (this.#sender.isLast || (isPassing && !this.#tunnel!.hasServer)) return
    this.#activeAt = this.#host.ticks
    if (isPassing) return this.#tunnel!.received(bytes)
    this.#requestBuffer.add(bytes)
    if (!this.#isHeld) this.#answerAll(this.#requestBuffer.size <= smallBytes)
    this.#throttle()
  }

  /** The client has taken some of the waiting bytes. */
  drained(): void {
    this.#activeAt = this.#host.ticks
    if (this.#tunnel?.isPassing) this.#tunnel.drained()
    else if (this.#sender.drained()) this.proceed()
  }

  ended(): void {
    this.#hasEnded = true
    this.log?.closing('its end was received')
    if (this.#tunnel?.isPassing) this.#tunnel.clientEnded()
    else if (!this.#isHeld) this.#answerAll()
  }

  /** @param error what ended the socket, if any */
  closed(error?: unknown): void {
    this.#requestBuffer.close()
    this.#sender.close()
    this.#tunnel?.clientClosed()
    this.log?.closed(error)
  }

  /** Closes the connection at once: its client does not take its responses. */
  terminate(): void {
    this.log?.closing('it did not take its responses')
    this.socket.terminate()
  }

  progressed(): void {
    this.#activeAt = this.#host.ticks
  }

  streams(): void {
    this.#head = undefined
    this.#hosts.forget()
  }

  /** Answers what has waited for the former response. @param isTurn its turn has come, for which it has waited, too */
  proceed(isTurn = false): void {
    if (this.#isHeld) return
    if (this.#sender.isLast) return this.#sender.end()
    this.#answerAll(isTurn)
    this.#throttle()
  }

  /** Closes the connection. If a request is in progress, its response closes the connection and announces it. */
  finish(): void {
    this.#isFinishing = true
    this.#sender.endWait()
    this.log?.closing('the server stops')
    const isBusy = this.#sender.isLast || this.#isHeld || this.#requestBuffer.awaitsBody
    if (!isBusy && !this.#tunnel?.isPassing) this.#sender.end()
  }

  /** Ends streams and waits. The next response ends the connection and announces it; an idle one ends as such. */
  leave(): boolean {
    this.#sender.leave()
    return true
  }

  /** Closes a connection that was idle for too long. If it is still open some time later, terminates it. */
  expire(idleTicks: number): void {
    const isPartial = !this.#isHeld && this.#requestBuffer.size > 0
    const ticks = isPartial ? Math.min(idleTicks, partialHeadTicks) : idleTicks
    const isPassing = this.#tunnel?.isPassing ?? false
    this.#tunnel?.tick()
    if (this.#hasEnded && !this.#isProbed) this.#probe()
    if (this.#sender.isWaiting) this.#activeAt = this.#host.ticks
    // Bun's server has closed it by then, unless the end of a socket was not reported.
    const limit = isPassing && this.#tunnel?.hasServer ? 2 * idleTicks + tunnelSlackTicks : ticks
    const bodyTicks = this.#isHeld ? 0 : this.#requestBuffer.tick()
    if (this.#host.ticks - this.#activeAt <= limit && bodyTicks <= idleTicks) return
    this.#activeAt = this.#host.ticks
    this.#tunnel?.destroy()
    const isBusy = this.#sender.isLast || this.#isHeld || isPassing
    this.log?.closing(
      isBusy ? 'it made no progress' : isPartial ? 'its request was incomplete for too long' : 'it was idle',
    )
    if (isBusy) this.socket.terminate()
    else this.#sender.end()
  }

  /**
   * Finds out whether a client that has ended its side is still there. One that has left resets the connection when it
   * gets bytes. One that waits for its response ignores an interim one.
   */
  #probe(): void {
    const isProbed = this.#tunnel?.isPassing ? this.#tunnel.mayProbe : this.#sender.isWaiting
    if (!isProbed) return
    this.#isProbed = true
    writeText(this.writeBuffer, interimResponse)
  }

  get #isHeld(): boolean {
    return this.#awaitsTurn || this.#sender.isHeld
  }

  /** Pauses reading while many bytes wait, and resumes as soon as they do not. */
  #throttle(): void {
    if (this.#tunnel?.isPassing) return
    this.#reading.isPaused = this.#isHeld && this.#requestBuffer.size > waitingBytesMax
  }

  /** @param isTurn the first request is answered at once */
  #answerAll(isTurn = false): void {
    let isFirst = isTurn
    while (!this.#isHeld && !this.#sender.isLast && !this.#tunnel?.isPassing) {
      // A client may have sent thousands of requests at once.
      if (!isFirst && this.#requestBuffer.size > 0 && this.#host.turns.isOver) return this.#awaitTurn()
      isFirst = false
      const request = this.#requestBuffer.nextRequest(this.#head)
      if (request === 'odd') this.#passOn()
      else if (request !== 'none') this.#answer(request)
      else if (this.#isFinishing && !this.#requestBuffer.awaitsBody) this.#sender.end()
      else if (!this.#hasEnded) return
      else if (this.#requestBuffer.size > 0) this.#passOn()
      else this.#sender.end()
    }
  }

  #awaitTurn(): void {
    this.#awaitsTurn = true
    this.#host.turns.wait(() => {
      this.#awaitsTurn = false
      this.#activeAt = this.#host.ticks
      this.proceed(true)
    })
  }

  #passOn(): void {
    if (!this.#tunnel?.hasServer) this.#tunnel = new Tunnel(this.#tunnelClient(), this.#host.upstream, this.#host.slots)
    this.#tunnel.pass(this.#requestBuffer.rest())
    if (this.#hasEnded) this.#tunnel.clientEnded()
  }

  #tunnelClient(): TunnelClient {
    return {
      socket: this.socket,
      writeBuffer: this.writeBuffer,
      reading: this.#reading,
      isLocal: this.#hosts.isLocal,
      log: this.log,
      progressed: () => this.progressed(),
      answered: (rest) => {
        if (rest.length > 0) this.#requestBuffer.add(Buffer.from(rest.buffer, rest.byteOffset, rest.length))
        this.#answerAll()
        this.#throttle()
      },
    }
  }

  #answer({ target, head, request }: PlainRequest): void {
    this.#head = head.isShort ? head : undefined
    this.log?.requested()
    this.#sender.send(this.#hosts.refuse(head) ?? this.#ask(request!, target), head, request!.method)
  }

  /** A handler never throws. If it does anyway, the client gets a response, as from Bun's server. */
  #ask(request: RequestHead, target: string): Answer | Promise<Answer> {
    try {
      return this.#host.requestHandler(request, target)
    } catch (thrown) {
      return problemResponse(thrown)
    }
  }
}
