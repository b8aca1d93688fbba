/** Lets batches that are not full wait a little for more records, unless someone waits for them. */

export class Linger {
  readonly #lingerMs: number
  readonly #wake: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #hurries = 0

  /** @param wake called when a batch may have become due */
  constructor(lingerMs: number, wake: () => void) {
    this.#lingerMs = lingerMs
    this.#wake = wake
  }

  /** Whether a batch is to be written whose first record came at `openedAt` (performance.now()). */
  isDue(openedAt: number): boolean {
    return this.#lingerMs === 0 || this.#hurries > 0 || performance.now() - openedAt >= this.#lingerMs
  }

  /** A batch has something to write, or may have: calls wake() when it is due. */
  filled(): void {
    if (this.#lingerMs === 0 || this.#hurries > 0) return this.#wake()
    // A timer may be early by a fraction of a millisecond.
    this.#timer ??= setTimeout(() => this.#due(), this.#lingerMs + 1)
  }

  /** Nothing lingers until the operation is done. */
  async without<T>(operation: () => Promise<T>): Promise<T> {
    this.#hurries++
    this.#wake()
    try {
      return await operation()
    } finally {
      this.#hurries--
    }
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #due(): void {
    this.#timer = undefined
    this.#wake()
  }
}
