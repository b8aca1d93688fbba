/** Flushes that a store thread has been asked for and has not finished. */
import { LatchkeyError } from '../errors.ts'

/** Maximum number of flushes that wait at the same time. */
const flushesMax = 1_000

export class FlushRequests {
  readonly #waiting = new Map<number, PromiseWithResolvers<number>>()
  #last = 0

  /**
   * @param send sends the request
   * @throws LatchkeyError flush_timed_out if too many flushes wait: no flush ends while Kafka is away
   */
  begin(send: (id: number) => void): Promise<number> {
    if (this.#waiting.size >= flushesMax) {
      const found = `${this.#waiting.size} flushes already wait for Kafka. Retry later`
      throw new LatchkeyError('flush_timed_out', `Flushing: ${found}`)
    }
    const id = ++this.#last
    const flush = Promise.withResolvers<number>()
    this.#waiting.set(id, flush)
    send(id)
    return flush.promise
  }

  /** @param result number of operations that became visible, or why the flush failed */
  end(id: number, result: number | LatchkeyError): void {
    const flush = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (typeof result === 'number') flush?.resolve(result)
    else flush?.reject(result)
  }

  endAll(error: LatchkeyError): void {
    for (const flush of this.#waiting.values()) flush.reject(error)
    this.#waiting.clear()
  }
}
