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

  constructor(store: Pick<StoreView, 'status'>) {
    this.#store = store
  }

  /** Before that, a record that is missing may still arrive. */
  check(): boolean {
    const now = performance.now()
    if (now - this.#checkedAt < checkMs) return this.#isCaughtUp
    this.#isCaughtUp = this.#store.status().caughtUp
    this.#checkedAt = now
    return this.#isCaughtUp
  }
}
