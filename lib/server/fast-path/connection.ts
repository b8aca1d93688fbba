/** A client's connection: plain requests are answered here, others through a tunnel, one after the other. */
import type { Socket } from 'bun'
import type { Answer, Answerer } from '../../http/answer.ts'
import type { HostRule } from '../host-rule.ts'
import { isLoopback } from '../loopback.ts'
import { problemResponse } from '../../http/problem.ts'
import { ValueAnswer } from '../../http/value-answer.ts'
import { type Common, headOf, linesOf } from './head.ts'
import type { HeldAnswers } from './held-answers.ts'
import { Inbox } from './inbox.ts'
import { Outbox } from './outbox.ts'
import type { PlainHead } from './plain-request.ts'
import { Reading } from './reading.ts'
import type { Slots } from './slots.ts'
import { type Behind, Tunnel, type TunnelClient } from './tunnel.ts'

/** Of requests that wait for the answer to one before: beyond it no more is read. */
const waitingBytesMax = 65_536

/** For the rest of a head; with the tick that it begins in, the 12 s that Bun's server allows. */
const cutHeadTicks = 10

/** Beyond twice the time that a connection may be idle. */
const tunnelSlackTicks = 15

/** What connections have in common. */
export interface ConnectionHost {
  readonly answerer: Answerer
  readonly hostRule: HostRule | undefined
  readonly behind: Behind
  /** For tunnels. */
  readonly slots: Slots
  readonly held: HeldAnswers
  /** A clock for idle connections. */
  readonly ticks: number
  /** Now, as HTTP has it. */
  readonly date: string
  /** Each answer ends its connection. */
  readonly isClosing: boolean
}

const encoder = new TextEncoder()
/** An answer that fits is sent at once, head and body together. Used by one answer after the other, none of which waits in it. */
const page = Buffer.alloc(65_536)

export class Connection {
  readonly #host: ConnectionHost
  readonly #socket: Socket<unknown>
  readonly #inbox = new Inbox()
  readonly #outbox: Outbox
  readonly #reading: Reading
  #head: PlainHead | undefined
  /** The last one whose Host was admitted. */
  #admitted: PlainHead | undefined
  #tunnel: Tunnel | undefined
  /** An answer is being made. */
  #isAnswering = false
  /** No request is answered any more. */
  #isLast = false
  /** The client sends no more. */
  #hasEnded = false
  /** The lane stops: it ends with the answers under way. */
  #isFinishing = false
  #activeAt: number

  constructor(host: ConnectionHost, socket: Socket<unknown>) {
    this.#host = host
    this.#socket = socket
    this.#outbox = new Outbox(socket, host.held)
    this.#reading = new Reading(socket)
    this.#activeAt = host.ticks
  }

  received(bytes: Buffer): void {
    // Behind the last answer it is dropped, and keeps no connection open.
    const isPassing = this.#tunnel?.isPassing ?? false
    if (this.#isLast || (isPassing && !this.#tunnel!.hasServer)) return
    this.#activeAt = this.#host.ticks
    if (isPassing) return this.#tunnel!.received(bytes)
    this.#inbox.add(bytes)
    if (!this.#isHeld) this.#answerAll()
    this.#throttle()
  }

  /** The client has taken some of what there was no room for. */
  drained(): void {
    this.#activeAt = this.#host.ticks
    if (this.#tunnel?.isPassing) this.#tunnel.drained()
    else if (this.#outbox.drain()) this.#proceed()
  }

  ended(): void {
    this.#hasEnded = true
    if (this.#tunnel?.isPassing) this.#tunnel.clientEnded()
    else if (!this.#isHeld) this.#answerAll()
  }

  closed(): void {
    this.#isLast = true
    this.#outbox.close()
    this.#tunnel?.clientClosed()
  }

  /** Ends it unless something is under way: then with the answer, which says so. */
  finish(): void {
    this.#isFinishing = true
    if (!this.#isLast && !this.#isHeld && !this.#tunnel?.isPassing) this.#end()
  }

  /** Ends it where it has been idle for too long; what has not ended a while after that is cut. */
  expire(idleTicks: number): void {
    const isCut = !this.#isHeld && this.#inbox.size > 0
    const ticks = isCut ? Math.min(idleTicks, cutHeadTicks) : idleTicks
    const isPassing = this.#tunnel?.isPassing ?? false
    this.#tunnel?.tick()
    // Bun's server has ended it by then, unless the end of a socket went unnoticed.
    const limit = isPassing && this.#tunnel?.hasServer ? 2 * idleTicks + tunnelSlackTicks : ticks
    if (this.#host.ticks - this.#activeAt <= limit) return
    this.#activeAt = this.#host.ticks
    this.#tunnel?.cut()
    if (this.#isLast || this.#isHeld || isPassing) this.#socket.terminate()
    else this.#end()
  }

  get #isHeld(): boolean {
    return this.#isAnswering || !this.#outbox.isEmpty
  }

  #proceed(): void {
    if (this.#isHeld) return
    if (this.#isLast) return this.#end()
    this.#answerAll()
    this.#throttle()
  }

  /** Nothing is read while much waits, and is again as soon as it does not. */
  #throttle(): void {
    if (!this.#tunnel?.isPassing) this.#reading.isPaused = this.#isHeld && this.#inbox.size > waitingBytesMax
  }

  #answerAll(): void {
    while (!this.#isHeld && !this.#isLast && !this.#tunnel?.isPassing) {
      const request = this.#inbox.take(this.#head)
      if (request === 'odd') this.#passOn()
      else if (request !== 'none') this.#answer(request.target, request.head)
      else if (this.#isFinishing) this.#end()
      else if (!this.#hasEnded) return
      else if (this.#inbox.size > 0) this.#passOn()
      else this.#end()
    }
  }

  #passOn(): void {
    if (!this.#tunnel?.hasServer) this.#tunnel = new Tunnel(this.#tunnelClient(), this.#host.behind, this.#host.slots)
    this.#tunnel.pass(this.#inbox.rest())
    if (this.#hasEnded) this.#tunnel.clientEnded()
  }

  #tunnelClient(): TunnelClient {
    return {
      socket: this.#socket,
      outbox: this.#outbox,
      reading: this.#reading,
      isLocal: this.#isLocal,
      answered: (rest) => {
        if (rest.length > 0) this.#inbox.add(Buffer.from(rest.buffer, rest.byteOffset, rest.length))
        this.#answerAll()
        this.#throttle()
      },
    }
  }

  #answer(target: string, head: PlainHead): void {
    this.#head = head.isShort ? head : undefined
    const answer = this.#refuse(head) ?? this.#ask(head, target)
    if (answer instanceof ValueAnswer) this.#sendValue(answer, head)
    else void this.#answerLater(answer, head)
  }

  /** Of heads that are the same, the first one is looked at. */
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

  /** An answerer never throws; if it does, there is an answer, as there is with Bun's server. */
  #ask(head: PlainHead, target: string): Answer | Promise<Answer> {
    try {
      return this.#host.answerer(head, target)
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
      this.#send(headOf(answer.status, linesOf(answer.headers), body.length, this.#common(head)), body)
    }
    this.#isAnswering = false
    this.#proceed()
  }

  #sendValue(answer: ValueAnswer, head: PlainHead): void {
    const body = typeof answer.body === 'string' ? encoder.encode(answer.body) : answer.body
    const isWhole = answer.status === 200
    const text = headOf(answer.status, answer.headerLines(), isWhole ? body.length : undefined, this.#common(head))
    this.#send(text, isWhole ? body : undefined)
  }

  #common(head: PlainHead): Common {
    const isLast = head.isLast || this.#host.isClosing
    this.#isLast ||= isLast
    return { date: this.#host.date, isLast }
  }

  #send(head: string, body: Uint8Array | undefined): void {
    const headLength = page.write(head, 'latin1')
    const length = headLength + (body?.length ?? 0)
    if (length <= page.length) {
      if (body) page.set(body, headLength)
      this.#outbox.sendFrom(page, length)
    } else {
      this.#outbox.sendFrom(page, headLength)
      if (body) this.#outbox.sendOwn(body)
    }
    this.#isLast ||= this.#outbox.isClosed
    if (this.#isLast && this.#outbox.isEmpty) this.#end()
  }

  #end(): void {
    this.#isLast = true
    this.#socket.end()
  }
}
