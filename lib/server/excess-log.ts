/** Tells of connections that were closed because there are too many: how many since the last line, however often that is, and whoever has closed them. */
import { loggerOf } from '../log/index.ts'

const intervalMs = 5_000

export class ExcessLog {
  #closed = 0
  /** The most that were left when some were closed: there may be fewer by the time of the line. */
  #open = 0
  #loggedAt = -Infinity

  /** @param open connections that are left */
  closed(count: number, open: number): void {
    this.#closed += count
    this.#open = Math.max(this.#open, open)
  }

  /** To be called again and again. */
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
