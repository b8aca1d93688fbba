import { LatchkeyError } from '../errors.ts'
import type { StoreView } from './store-view.ts'

/**
 * Interval of checks whether the store has caught up. Misses may be as frequent as hits, and reading the status is
 * expensive.
 */
const checkMs = 100

/** Whether the store has caught up with its source, read from time to time. */
export class CaughtUp {
  readonly #store: Pick<StoreView, 'status'>
  #isCaughtUp = false
  #checkedAt = -Infinity
  #halted: string | undefined

  constructor(store: Pick<StoreView, 'status'>) {
    this.#store = store
  }

  /** Before that, a record that is missing may still arrive. */
  check(): boolean {
    const now = performance.now()
    if (now - this.#checkedAt < checkMs) return this.#isCaughtUp
    const { caughtUp, conditions } = this.#store.status()
    this.#isCaughtUp = caughtUp
    this.#halted = conditions.find(({ name, ok }) => name === 'not_halted' && !ok)?.reason
    this.#checkedAt = now
    return this.#isCaughtUp
  }

  /**
   * Returns the error for a key that is not there.
   * @param found beginning of the message
   */
  notFound(found: string): LatchkeyError {
    if (this.check()) return new LatchkeyError('key_not_found', found, { details: { caughtUp: true } })
    if (this.#halted === undefined) {
      const message = `${found} yet; it has not caught up with the source topic, so ask again later`
      return new LatchkeyError('key_not_found', message, { details: { caughtUp: false } })
    }
    const message = `${found} yet; it does not catch up with the source topic: ${this.#halted}`
    return new LatchkeyError('key_not_found', message, { details: { caughtUp: false, halted: true } })
  }
}
