/**
 * Log of connections closed because there are too many: one line with the number since the last line, independent of
 * who closed them.
 */
import { loggerOf } from '../log/index.ts'

const intervalMs = 5_000

export class ExcessLog {
  #closed = 0
  /** Maximum number of connections that were left when some were closed. It may be lower when the line is logged. */
  #open = 0
  #loggedAt = -Infinity

  /** @param open number of connections left */
  closed(count: number, open: number): void {
    this.#closed += count
    this.#open = Math.max(this.#open, open)
  }

  /** Logs what has accumulated, at most once in five seconds. To be called periodically. */
  report(): void {
    const now = performance.now()
    if (this.#closed === 0 || now - this.#loggedAt < intervalMs) return
    loggerOf('http').warn(
      'Taking connections: {open} were open, and {closed} beyond them were closed; SERVER_CONNECTIONS_MAX or the limit of descriptors allows no more',
      { open: this.#open, closed: this.#closed },
    )
    this.#closed = 0
    this.#open = 0
    this.#loggedAt = now
  }
}
