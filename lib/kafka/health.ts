/** How a client fares with its cluster: one place that logs trouble at a bounded rate and that state and metrics read. */
import { getLogger } from '@logtape/logtape'
import { type LatchkeyError } from '../errors.ts'

const log = getLogger(['latchkey', 'kafka'])
const logEveryMs = 5_000
/** Trouble that passes sooner (a coordinator that loads, a leader that moves) is not worth a line. */
const quietMs = 1_000

export class Health {
  readonly #subject: string
  #troubleSince: number | null = null
  #message = ''
  #loggedAt = 0
  failures = 0
  /** Whether anything ever succeeded. */
  hasWorked = false

  /** @param subject what log lines call this client, e.g. `source consumer` */
  constructor(subject: string) {
    this.#subject = subject
  }

  /** What is wrong and since when; undefined while all is well. */
  get trouble(): string | undefined {
    if (this.#troubleSince === null || Date.now() - this.#troubleSince < quietMs) return undefined
    return `${this.#subject}: ${this.#message} (for ${this.#seconds()} s, trying on)`
  }

  failed(error: LatchkeyError): void {
    this.failures++
    this.#troubleSince ??= Date.now()
    this.#message = error.message
    const now = Date.now()
    if (now - this.#troubleSince < quietMs || now - this.#loggedAt < logEveryMs) return
    this.#loggedAt = now
    log.warn('{subject}: {message}; no success for {seconds} s, trying on', {
      subject: this.#subject,
      message: error.message,
      seconds: this.#seconds(),
    })
  }

  succeeded(): void {
    this.hasWorked = true
    if (this.#troubleSince === null) return
    if (this.#loggedAt > 0)
      log.info('{subject}: working again after {seconds} s', { subject: this.#subject, seconds: this.#seconds() })
    this.#troubleSince = null
    this.#loggedAt = 0
  }

  #seconds(): number {
    return Math.round((Date.now() - (this.#troubleSince ?? Date.now())) / 100) / 10
  }
}
