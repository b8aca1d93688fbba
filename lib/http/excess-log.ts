/** Tells of connections that were closed because there are too many: how many since the last line, however often that is. */
import { loggerOf } from '../log.ts'

const intervalMs = 5_000

export class ExcessLog {
  #closed = 0
  #loggedAt = -Infinity

  closed(count: number): void {
    this.#closed += count
  }

  /** To be called again and again. @param open connections that are left */
  report(open: number): void {
    const now = performance.now()
    if (this.#closed === 0 || now - this.#loggedAt < intervalMs) return
    loggerOf('http').warn(
      'Taking connections: {open} are open, and {closed} beyond them were closed; SERVER_CONNECTIONS_MAX or the limit of descriptors allows no more',
      { open, closed: this.#closed },
    )
    this.#closed = 0
    this.#loggedAt = now
  }
}
