/**
 * The number of keys that INFO states: that of the whole group, as DBSIZE. Monitoring asks for INFO every few seconds, on
 * many connections, so a count serves for a second. One that does not arrive in time is replaced by the last one.
 */
import { deadline } from '../deadline.ts'
import type { RespStore } from './store-view.ts'

const keptMs = 1_000
const waitMsMax = 500

export class KeyCount {
  readonly #store: Pick<RespStore, 'count' | 'readsGroup' | 'status'>
  #last: number | undefined
  #lastAt = -Infinity
  #counting: Promise<number | undefined> | undefined

  constructor(store: Pick<RespStore, 'count' | 'readsGroup' | 'status'>) {
    this.#store = store
  }

  /** Undefined if the group has not been counted yet, and is not now. Never rejects. */
  now(): number | undefined | Promise<number | undefined> {
    if (this.#store.readsGroup !== true) {
      return this.#store.status().details.reduce((sum, { entries }) => sum + entries, 0)
    }
    if (performance.now() - this.#lastAt < keptMs) return this.#last
    this.#counting ??= this.#count()
    return deadline(this.#counting, waitMsMax, () => this.#last)
  }

  async #count(): Promise<number | undefined> {
    try {
      this.#last = (await this.#store.count()).count
    } catch {
      // Not all instances answer: the last count stands.
    }
    this.#lastAt = performance.now()
    this.#counting = undefined
    return this.#last
  }
}
