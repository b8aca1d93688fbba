/** Waiting between attempts: exponential with full jitter, as AWS's architecture blog "Exponential Backoff And Jitter" derives it. */

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

  /** Attempts since the last reset. */
  get attempts(): number {
    return this.#attempts
  }

  /** Milliseconds to wait before the next attempt: between half and all of 100 ms, 200 ms, … 5 s, or what the options say. */
  nextMs(): number {
    const { firstMs, maxMs } = this.#options
    const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempts++, 16))
    return ceiling / 2 + (Math.random() * ceiling) / 2
  }

  reset(): void {
    this.#attempts = 0
  }
}

/** Resolves after `ms`, or at once when the signal is aborted; never rejects. */
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
