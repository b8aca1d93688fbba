/**
 * Turns of the streams of a thread: one batch at a time, in order of arrival. Together they get some milliseconds of a
 * turn of the loop; then other requests are answered. Thousands of clients may have to catch up at the same time, as they
 * do when a store has started again.
 */
import { Turns } from '../../turns.ts'

export class FeedTurns {
  readonly #turns: Pick<Turns, 'isOver' | 'wait'>
  /** In order. */
  readonly #waiting = new Set<() => void>()
  #isTaken = false

  constructor(turns: Pick<Turns, 'isOver' | 'wait'> = new Turns()) {
    this.#turns = turns
  }

  /** Calls `make` when it is its turn. @returns what that returns */
  async take<T>(make: () => Promise<T>): Promise<T> {
    if (this.#isTaken) await new Promise<void>((resolve) => this.#waiting.add(resolve))
    this.#isTaken = true
    try {
      if (this.#turns.isOver) await new Promise<void>((resolve) => this.#turns.wait(resolve))
      return await make()
    } finally {
      this.#leave()
    }
  }

  /** The next one has the turn at once: none that comes meanwhile is before it. */
  #leave(): void {
    const [next] = this.#waiting
    this.#isTaken = next !== undefined
    if (next === undefined) return
    this.#waiting.delete(next)
    next()
  }
}
