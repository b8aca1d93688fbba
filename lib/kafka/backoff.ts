/** Exponential backoff with equal jitter, see "Exponential Backoff And Jitter" in AWS's architecture blog. */

export interface BackoffOptions {
  firstMs: number
  maxMs: number
}

const defaults: BackoffOptions = { firstMs: 100, maxMs: 5_000 }

export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions = defaults) {
    this.#options = options
  }

  /** Number of attempts since the last reset. */
  get attempts(): number {
    return this.#attempts
  }

  /**
   * Returns the pause before the next attempt: between half and all of 100 ms, 200 ms, … 5 s, or as the options say.
   */
  nextMs(): number {
    const { firstMs, maxMs } = this.#options
    const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempts++, 16))
    return ceiling / 2 + (Math.random() * ceiling) / 2
  }

  reset(): void {
    this.#attempts = 0
  }
}

/** Resolves after `ms`, or immediately when the signal is aborted. Never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}
