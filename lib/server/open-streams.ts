/**
 * Answers of Bun's server that take long: bodies that are made while they are sent, and requests that wait for a change.
 * They end when the server stops, which does not wait for bodies without an end, and after another token.
 */
import { LatchkeyError } from '../errors.ts'
import type { Answer, RequestHandler } from '../http/answer.ts'
import { HeldAnswer } from '../http/held-answer.ts'
import { mapAnswer } from '../http/pending-answer.ts'
import { problemResponse } from '../http/problem.ts'
import { type BodySource, emptyBody, StreamAnswer } from '../http/stream-answer.ts'
import type { Drainable } from './drain.ts'
import { leavingSeconds } from './leaving.ts'

/**
 * With Bun's server alone (HTTP_FAST_PATH=false): what a client does not take, about 1 MB, stays in memory until that
 * server closes the connection as idle, and no other way closes it.
 */
export const directStreamsMax = 256

export class OpenStreams implements Drainable {
  readonly #max: number
  readonly #sources = new Set<WatchedSource>()
  readonly #held = new Set<HeldAnswer>()
  /** Number of tokens that were replaced. */
  #replaced = 0
  #isStopping = false

  /** @param max bodies at the same time; others are refused */
  constructor(max = Infinity) {
    this.#max = max
  }

  /** Returns a request handler whose bodies and waits are known here. */
  watched(requestHandler: RequestHandler): RequestHandler {
    return (request, target) => {
      const replaced = this.#replaced
      const answer = requestHandler(request, target)
      if (answer instanceof HeldAnswer) this.#hold(answer)
      return mapAnswer(answer, (made) => this.#watch(made, replaced))
    }
  }

  announceClose(): void {}

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#endAll()
  }

  destroy(): void {}

  /** Another token is required. Bodies with an end of their own are cut if they take too long. */
  tokenReplaced(): void {
    this.#replaced++
    for (const source of this.#sources) source.expireIn(leavingSeconds)
    this.#endAll()
  }

  #endAll(): void {
    for (const held of this.#held) held.end()
    for (const source of this.#sources) source.end()
  }

  #hold(answer: HeldAnswer): void {
    this.#held.add(answer)
    void answer.finally(() => this.#held.delete(answer))
  }

  /** @param replaced number of replaced tokens at the request */
  #watch(answer: Answer, replaced: number): Answer {
    if (!(answer instanceof StreamAnswer) || answer.source === emptyBody) return answer
    if (this.#sources.size >= this.#max) {
      answer.source.cancel()
      return tooMany(this.#max)
    }
    const source = new WatchedSource(answer.source, () => this.#sources.delete(source))
    this.#sources.add(source)
    if (replaced !== this.#replaced) source.expireIn(leavingSeconds)
    if (replaced !== this.#replaced || this.#isStopping) source.end()
    return answer.from(source)
  }
}

function tooMany(max: number): Response {
  const found = `${max} are open already, the most with HTTP_FAST_PATH=false. Retry later, or leave that setting out`
  return problemResponse(new LatchkeyError('waits_exhausted', `Opening a stream: ${found}`))
}

class WatchedSource implements BodySource {
  ready = (): void => {}
  readonly #source: BodySource
  readonly #ended: () => void
  /** By performance.now(). */
  #expiresAt = Infinity

  constructor(source: BodySource, ended: () => void) {
    this.#source = source
    this.#ended = ended
    source.ready = () => this.ready()
  }

  read(): Uint8Array<ArrayBuffer> | undefined | null {
    if (performance.now() > this.#expiresAt) {
      this.cancel()
      throw new Error('another token is required')
    }
    const piece = this.#source.read()
    if (piece === null) this.#ended()
    return piece
  }

  cancel(): void {
    this.#ended()
    this.#source.cancel()
  }

  end(): void {
    this.#source.end?.()
  }

  expireIn(seconds: number): void {
    this.#expiresAt = Math.min(this.#expiresAt, performance.now() + seconds * 1_000)
  }
}
