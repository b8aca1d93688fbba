/**
 * Sends the responses to a client's plain requests, one after the other: at once, after a wait, or while their body is
 * made.
 */
import type { Socket } from 'bun'
import { type Answer, isWritten, type WrittenAnswer } from '../../http/answer.ts'
import { HeldAnswer } from '../../http/held-answer.ts'
import { PendingAnswer } from '../../http/pending-answer.ts'
import { problemResponse } from '../../http/problem.ts'
import { StreamAnswer } from '../../http/stream-answer.ts'
import type { ConnectionHost } from './connection-host.ts'
import type { CloseReason, ConnectionLog } from './connection-log.ts'
import { headOf, type ResponseContext } from './head.ts'
import type { PlainHead } from './plain-request.ts'
import { ResponseStream, type StreamReceiver } from './response-stream.ts'
import { writeAnswer, writeResponse, writeText } from './response-writer.ts'
import type { WriteBuffer } from './write-buffer.ts'

/** The connection of a response sender. */
export interface RespondingConnection {
  readonly socket: Pick<Socket<unknown>, 'end'>
  readonly writeBuffer: WriteBuffer
  readonly log: ConnectionLog | undefined
  /** A body that is made while it is sent begins. It may have no end, so the head of its request is not kept. */
  streams(): void
  /** The client has taken a piece of a body. */
  progressed(): void
  /** A response that took more than one turn was handed over. */
  proceed(): void
  /** The body of a response cannot be completed. */
  terminate(): void
}

export class ResponseSender implements StreamReceiver {
  readonly #host: ConnectionHost
  readonly #connection: RespondingConnection
  readonly writeBuffer: WriteBuffer
  #stream: ResponseStream | undefined
  /** A response is being made, which may wait for a change. */
  #isAnswering = false
  #pending: PendingAnswer | undefined
  /** No further request is answered. */
  #isLast = false
  /** The next response is the last one, and no stream begins. */
  #isLeaving = false

  constructor(host: ConnectionHost, connection: RespondingConnection) {
    this.#host = host
    this.#connection = connection
    this.writeBuffer = connection.writeBuffer
  }

  /** No further request is answered. */
  get isLast(): boolean {
    return this.#isLast
  }

  /** The response to an earlier request is being made, or its client has not taken it. */
  get isHeld(): boolean {
    return this.#isAnswering || !this.writeBuffer.isEmpty
  }

  /** The request waits for a change, or for the walks of others. */
  get isWaiting(): boolean {
    return this.#pending !== undefined
  }

  /** Sends an answer, now or later. No other may be in progress. */
  send(answer: Answer | Promise<Answer>, head: PlainHead, method: string): void {
    if (isWritten(answer)) this.#send(answer, head, method)
    else void this.#sendLater(answer, head, method)
  }

  /**
   * The client has taken some of the waiting bytes.
   * @returns whether the next request may be answered
   */
  drained(): boolean {
    if (!this.writeBuffer.drain()) return false
    this.#stream?.pump()
    return !this.isHeld
  }

  /** Ends the wait of a request, whose answer is that of the moment, and a body that has no end of its own. */
  endWait(): void {
    if (this.#pending instanceof HeldAnswer) this.#pending.end()
    this.#stream?.end()
  }

  /** Ends the wait and the stream of a client whose token was replaced. Its next response is the last one. */
  leave(): void {
    this.#isLeaving = true
    this.endWait()
  }

  /** Ends the connection. */
  end(): void {
    this.#isLast = true
    this.#connection.socket.end()
  }

  /** The connection has ended: nothing is sent any more. */
  close(): void {
    this.#isLast = true
    this.#pending?.cancel()
    this.writeBuffer.close()
    this.#stream?.cancel()
  }

  progressed(): void {
    this.#connection.progressed()
  }

  streamed(bytes: number): void {
    this.#stream = undefined
    this.#sent()
    this.#connection.log?.answered('GET', 200, bytes, 'fast path')
    this.#isAnswering = false
    this.#connection.proceed()
  }

  /** The client learns that the body is not complete: it ends without its last chunk. */
  failed(): void {
    this.#connection.terminate()
    this.streamed(0)
  }

  async #sendLater(coming: Answer | Promise<Answer>, head: PlainHead, method: string): Promise<void> {
    this.#isAnswering = true
    if (coming instanceof PendingAnswer) this.#pending = coming
    const answer = await Promise.resolve(coming).catch(problemResponse)
    this.#pending = undefined
    if (answer instanceof StreamAnswer) return this.#beginStream(answer, head)
    this.#send(answer, head, method, answer instanceof Response ? await answer.bytes() : undefined)
    this.#isAnswering = false
    this.#connection.proceed()
  }

  /** @param body of a Response */
  #send(answer: WrittenAnswer | Response, head: PlainHead, method: string, body?: Uint8Array): void {
    const context = this.#context(head)
    const length = isWritten(answer)
      ? writeAnswer(this.writeBuffer, answer, context)
      : writeResponse(this.writeBuffer, answer, body!, context)
    this.#sent()
    this.#connection.log?.answered(method, answer.status, length, 'fast path')
  }

  /** Nothing waits for its end: many clients may follow changes, each for hours. */
  #beginStream(answer: StreamAnswer, head: PlainHead): void {
    const lines = `${answer.headerLines()}Transfer-Encoding: chunked\r\n`
    writeText(this.writeBuffer, headOf(200, lines, undefined, this.#context(head)))
    this.#connection.streams()
    this.#stream = new ResponseStream(this, answer.source)
    this.#stream.begin()
    // Its request came before the other token.
    if (this.#isLeaving) this.#stream.end()
  }

  #sent(): void {
    this.#isLast ||= this.writeBuffer.isClosed
    if (this.#isLast && this.writeBuffer.isEmpty) this.end()
  }

  get #lastReason(): CloseReason {
    if (this.#host.isClosing) return 'the server stops'
    return this.#isLeaving ? 'another token is required' : 'its last response was sent'
  }

  #context(head: PlainHead): ResponseContext {
    const isLast = head.isLast || this.#host.isClosing || this.#isLeaving
    this.#isLast ||= isLast
    if (isLast) this.#connection.log?.closing(this.#lastReason)
    return { date: this.#host.date, isLast }
  }
}
