/**
 * Turns of clients that have sent several requests at once, in a thread that answers. Together they get some
 * milliseconds of a turn of the loop; then other clients are answered, and they continue in order.
 */

const turnMs = 2

export class Turns {
  readonly #now: () => number
  /** Those that continue in a later turn, in order. */
  #waiting: (() => void)[] = []
  /** When the turn began. */
  #from = 0
  #isScheduled = false

  /** @param now in milliseconds */
  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** No turn is in progress, and none waits. */
  get isIdle(): boolean {
    return !this.#isScheduled
  }

  /** To be read before each request but the first one of a client's turn: whether it has to wait. */
  get isOver(): boolean {
    const now = this.#now()
    if (this.#isScheduled) return now - this.#from > turnMs
    this.#begin(now)
    return false
  }

  /** Calls `proceed` when other clients were answered. */
  wait(proceed: () => void): void {
    if (!this.#isScheduled) this.#begin(this.#now())
    this.#waiting.push(proceed)
  }

  #begin(now: number): void {
    this.#from = now
    this.#isScheduled = true
    setImmediate(() => this.#next())
  }

  #next(): void {
    this.#isScheduled = false
    if (this.#waiting.length === 0) return
    this.#begin(this.#now())
    const waiting = this.#waiting
    this.#waiting = []
    let at = 0
    do waiting[at++]!()
    while (at < waiting.length && !this.isOver)
    // Those that have not had their turn come before those that were called and wait again.
    this.#waiting = [...waiting.slice(at), ...this.#waiting]
  }
}
