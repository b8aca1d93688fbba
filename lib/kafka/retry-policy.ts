/** Retry policy: backoff, and optionally a maximum of retries. */
import { LatchkeyError } from '../errors.ts'
import type { Backoff } from './backoff.ts'

/** Minimum pause after an authentication failure. An operator may correct the cause meanwhile. */
const refusedMs = 10_000

export class RetryPolicy {
  readonly #backoff: Backoff
  readonly #retriesMax: number

  constructor(backoff: Backoff, retriesMax = Number.POSITIVE_INFINITY) {
    this.#backoff = backoff
    this.#retriesMax = retriesMax
  }

  /**
   * Returns the milliseconds to wait after a failure.
   * @throws LatchkeyError store_failed after the maximum of retries
   */
  nextMs(failure: LatchkeyError): number {
    if (this.#backoff.attempts >= this.#retriesMax) {
      const message = `${failure.message}; given up after ${this.#retriesMax} retries, as retries=${this.#retriesMax} says`
      throw new LatchkeyError('store_failed', message, { cause: failure })
    }
    const ms = this.#backoff.nextMs()
    return failure.code === 'authentication_failed' ? Math.max(ms, refusedMs) : ms
  }

  /** Returns the milliseconds to wait without a failure. Never throws. */
  pauseMs(): number {
    return this.#backoff.nextMs()
  }

  /** Resets the backoff after a success. */
  reset(): void {
    this.#backoff.reset()
  }
}
