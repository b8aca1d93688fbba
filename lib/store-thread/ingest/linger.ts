/** Delays batches that are not full for more records, unless a caller waits for them. */
import type { ChangelogQueue } from './changelog-queue.ts'

export class Linger {
  readonly #lingerMs: number
  readonly #wake: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #flushRequests = 0

  /** @param wake called when a batch may be due */
  constructor(lingerMs: number, wake: () => void) {
    this.#lingerMs = lingerMs
    this.#wake = wake
  }

  /** Whether to write a batch whose first record was added at `openedAt` (performance.now()). */
  isDue(openedAt: number): boolean {
    return this.#lingerMs === 0 || this.#flushRequests > 0 || performance.now() - openedAt >= this.#lingerMs
  }

  /** To be called when records were appended. Calls wake() when a batch is due. */
  appended({ hasFull, hasOpen }: ChangelogQueue): void {
    if (hasFull) this.#wake()
    if (hasOpen) this.#wakeWhenDue()
  }

  #wakeWhenDue(): void {
    if (this.#lingerMs === 0 || this.#flushRequests > 0) return this.#wake()
    // A timer may fire a fraction of a millisecond early.
    this.#timer ??= setTimeout(() => this.#due(), this.#lingerMs + 1)
  }

  /** Suspends the delay until the operation is done. */
  async suspendWhile<T>(operation: () => Promise<T>): Promise<T> {
    this.#flushRequests++
    this.#wake()
    try {
      return await operation()
    } finally {
      this.#flushRequests--
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
