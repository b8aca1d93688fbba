/** How long one thing is tried: a pause before each attempt, and for users who ask for it an end. */
import { LatchkeyError } from '../errors.ts'
import { type Backoff } from './backoff.ts'

/** What a broker has refused for good is asked for again at this pace: an operator may mend it meanwhile. */
const refusedMs = 10_000

export class Patience {
  readonly #backoff: Backoff
  readonly #retriesMax: number

  constructor(backoff: Backoff, retriesMax = Number.POSITIVE_INFINITY) {
    this.#backoff = backoff
    this.#retriesMax = retriesMax
  }

  /**
   * Milliseconds to wait after a failure.
   * @throws LatchkeyError store_failed after as many retries as are allowed
   */
  nextMs(failure: LatchkeyError): number {
    if (this.#backoff.attempts >= this.#retriesMax) {
      const message = `${failure.message}; given up after ${this.#retriesMax} retries, as retries=${this.#retriesMax} says`
      throw new LatchkeyError('store_failed', message, { cause: failure })
    }
    const ms = this.#backoff.nextMs()
    return failure.code === 'authentication_failed' ? Math.max(ms, refusedMs) : ms
  }

  /** Milliseconds to wait where nothing has failed yet that counts. */
  pauseMs(): number {
    return this.#backoff.nextMs()
  }

  /** It worked: the next failure is a first one. */
  reset(): void {
    this.#backoff.reset()
  }
}
