/** A client's connection. Answers plain requests itself and passes others through a tunnel, one after the other. */
import type { Socket } from 'bun'
import type { Answer } from '../../http/answer.ts'
import { problemResponse } from '../../http/problem.ts'
import { ValueAnswer } from '../../http/value-answer.ts'
import { isLoopback } from '../loopback.ts'
import { sendAnswer } from './answer-page.ts'
import type { ConnectionHost } from './connection-host.ts'
import { ConnectionLog } from './connection-log.ts'
import { headOf, linesOf, type ResponseContext } from './head.ts'
import type { Holder } from './held-answers.ts'
import type { PlainHead } from './plain-request.ts'
import { Reading } from './reading.ts'
import { RequestBuffer } from './request-buffer.ts'
import { Tunnel, type TunnelClient } from './tunnel.ts'
import { WriteBuffer } from './write-buffer.ts'

/** Maximum size of requests that wait for an earlier response. Beyond it, the socket is not read. */
const waitingBytesMax = 65_536

/** Time for the rest of a head. With the tick in which it begins, this is the 12 s that Bun's server allows. */
const partialHeadTicks = 10

/** Slack beyond twice the idle time of a connection. */
const tunnelSlackTicks = 15

const encoder = new TextEncoder()

export class ClientConnection implements Holder {
  /** Undefined unless this thread logs debug. */
  readonly log: ConnectionLog | undefined
  readonly #host: ConnectionHost
  readonly #socket: Socket<unknown>
  readonly #requestBuffer = new RequestBuffer()
  readonly #writeBuffer: WriteBuffer
  readonly #reading: Reading
  #head: PlainHead | undefined
  /** Last head whose Host was admitted. */
  #admitted: PlainHead | undefined
  #tunnel: Tunnel | undefined
  /** A response is being made. */
  #isAnswering = false
  /** No further request is answered. */
  #isLast = false
  /** The client sends nothing more. */
  #hasEnded = false
  /** The fast path stops: the connection ends with the responses in progress. */
  #isFinishing = false
  #activeAt: number

  constructor(host: ConnectionHost, socket: Socket<unknown>) {
    this.#host = host
    this.#socket = socket
    this.log = ConnectionLog.of(socket, host.storeId)
    this.#writeBuffer = new WriteBuffer(socket, host.held, this)
    this.#reading = new Reading(socket)
    this.#activeAt = host.ticks
  }

  received(bytes: Buffer): void {
    // Bytes after the last response are dropped and keep no connection open.
    const isPassing = this.#tunnel?.isPassing ?? false
    if (this.#isLast || (isPassing && !this.#tunnel!.hasServer)) return
    this.#activeAt = this.#host.ticks
    if (isPassing) return this.#tunnel!.received(bytes)
    this.#requestBuffer.add(bytes)
    if (!this.#isHeld) this.#answerAll()
    this.#throttle()
  }

  /** The client has taken some of the waiting bytes. */
  drained(): void {
    this.#activeAt = this.#host.ticks
    if (this.#tunnel?.isPassing) this.#tunnel.drained()
    else if (this.#writeBuffer.drain()) this.#proceed()
  }

  ended(): void {
    this.#hasEnded = true
    this.log?.closing('its end was received')
    if (this.#tunnel?.isPassing) this.#tunnel.clientEnded()
    else if (!this.#isHeld) this.#answerAll()
  }

  /** @param error what ended the socket, if any */
  closed(error?: unknown): void {
    this.#isLast = true
    this.#writeBuffer.close()
    this.#tunnel?.clientClosed()
    this.log?.closed(error)
  }

  /** Closes the connection at once: its client does not take its responses. */
  terminate(): void {
    this.log?.closing('it did not take its responses')
    this.#socket.terminate()
  }

  /** Closes the connection. If a request is in progress, its response closes the connection and announces it. */
  finish(): void {
    this.#isFinishing = true
    this.log?.closing('the server stops')
    if (!this.#isLast && !this.#isHeld && !this.#tunnel?.isPassing) this.#end()
  }

  /** Closes a connection that was idle for too long. If it is still open some time later, terminates it. */
  expire(idleTicks: number): void {
    const hasPartialHead = !this.#isHeld && this.#requestBuffer.size > 0
    const ticks = hasPartialHead ? Math.min(idleTicks, partialHeadTicks) : idleTicks
    const isPassing = this.#tunnel?.isPassing ?? false
    this.#tunnel?.tick()
    // Bun's server has closed it by then, unless the end of a socket was not reported.
    const limit = isPassing && this.#tunnel?.hasServer ? 2 * idleTicks + tunnelSlackTicks : ticks
    if (this.#host.ticks - this.#activeAt <= limit) return
    this.#activeAt = this.#host.ticks
    this.#tunnel?.destroy()
    const isBusy = this.#isLast || this.#isHeld || isPassing
    this.log?.closing(
      isBusy ? 'it made no progress' : hasPartialHead ? 'its request was incomplete for too long' : 'it was idle',
    )
    if (isBusy) this.#socket.terminate()
    else this.#end()
  }

  get #isHeld(): boolean {
    return this.#isAnswering || !this.#writeBuffer.isEmpty
  }

  #proceed(): void {
    if (this.#isHeld) return
    if (this.#isLast) return this.#end()
    this.#answerAll()
    this.#throttle()
  }

  /** Pauses reading while many bytes wait, and resumes as soon as they do not. */
  #throttle(): void {
    if (!this.#tunnel?.isPassing) this.#reading.isPaused = this.#isHeld && this.#requestBuffer.size > waitingBytesMax
  }

  #answerAll(): void {
    while (!this.#isHeld && !this.#isLast && !this.#tunnel?.isPassing) {
      const request = this.#requestBuffer.nextRequest(this.#head)
      if (request === 'odd') this.#passOn()
      else if (request !== 'none') this.#answer(request.target, request.head)
      else if (this.#isFinishing) this.#end()
      else if (!this.#hasEnded) return
      else if (this.#requestBuffer.size > 0) this.#passOn()
      else this.#end()
    }
  }

  #passOn(): void {
    if (!this.#tunnel?.hasServer) this.#tunnel = new Tunnel(this.#tunnelClient(), this.#host.upstream, this.#host.slots)
    this.#tunnel.pass(this.#requestBuffer.rest())
    if (this.#hasEnded) this.#tunnel.clientEnded()
  }

  #tunnelClient(): TunnelClient {
    return {
      socket: this.#socket,
      writeBuffer: this.#writeBuffer,
      reading: this.#reading,
      isLocal: this.#isLocal,
      log: this.log,
      answered: (rest) => {
        if (rest.length > 0) this.#requestBuffer.add(Buffer.from(rest.buffer, rest.byteOffset, rest.length))
        this.#answerAll()
        this.#throttle()
      },
    }
  }

  #answer(target: string, head: PlainHead): void {
    this.#head = head.isShort ? head : undefined
    this.log?.requested()
    const answer = this.#refuse(head) ?? this.#ask(head, target)
    if (answer instanceof ValueAnswer) this.#sendValue(answer, head)
    else void this.#answerLater(answer, head)
  }

  /** Checks the Host of a head. Equal heads are one object and are checked once. */
  #refuse(head: PlainHead): Response | undefined {
    const { hostRule } = this.#host
    if (hostRule === undefined || head === this.#admitted) return undefined
    const host = head.get('host')
    if ((hostRule.isForAll || this.#isLocal) && !hostRule.admits(host)) return hostRule.refusal(host)
    this.#admitted = head
    return undefined
  }

  /** The client is on this machine. */
  get #isLocal(): boolean {
    return isLoopback(this.#socket.remoteAddress)
  }

  /** A handler never throws. If it does anyway, the client gets a response, as from Bun's server. */
  #ask(head: PlainHead, target: string): Answer | Promise<Answer> {
    try {
      return this.#host.requestHandler(head, target)
    } catch (thrown) {
      return problemResponse(thrown)
    }
  }

  async #answerLater(coming: Answer | Promise<Answer>, head: PlainHead): Promise<void> {
    this.#isAnswering = true
    const answer = await Promise.resolve(coming).catch(problemResponse)
    if (answer instanceof ValueAnswer) this.#sendValue(answer, head)
    else {
      const body = await answer.bytes()
      this.#send(headOf(answer.status, linesOf(answer.headers), body.length, this.#context(head)), body)
      this.log?.answered('GET', answer.status, body.length, 'fast path')
    }
    this.#isAnswering = false
    this.#proceed()
  }

  #sendValue(answer: ValueAnswer, head: PlainHead): void {
    const body = typeof answer.body === 'string' ? encoder.encode(answer.body) : answer.body
    const isWhole = answer.status === 200
    const text = headOf(answer.status, answer.headerLines(), isWhole ? body.length : undefined, this.#context(head))
    this.#send(text, isWhole ? body : undefined)
    this.log?.answered('GET', answer.status, isWhole ? body.length : 0, 'fast path')
  }

  #context(head: PlainHead): ResponseContext {
    const isLast = head.isLast || this.#host.isClosing
    this.#isLast ||= isLast
    if (isLast) this.log?.closing(this.#host.isClosing ? 'the server stops' : 'its last response was sent')
    return { date: this.#host.date, isLast }
  }

  #send(head: string, body: Uint8Array | undefined): void {
    sendAnswer(this.#writeBuffer, head, body)
    this.#isLast ||= this.#writeBuffer.isClosed
    if (this.#isLast && this.#writeBuffer.isEmpty) this.#end()
  }

  #end(): void {
    this.#isLast = true
    this.#socket.end()
  }
}
