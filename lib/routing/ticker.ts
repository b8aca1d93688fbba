/** One timer for everything that waits in a thread, since a timer for each lookup costs more than the lookup. */

const tickMs = 25
/** A tick that comes so late says that the thread was busy. */
const lateMs = 100

export class Ticker {
  readonly #tick: (now: number) => boolean
  #timer: Timer | undefined
  #tickedAt = 0
  #isSkipped = false

  /** @param tick called with performance.now(); returns whether to go on */
  constructor(tick: (now: number) => boolean) {
    this.#tick = tick
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#tickedAt = performance.now()
    this.#timer = setInterval(() => this.#ticked(performance.now()), tickMs)
  }

  /** After a pause of the thread, what has arrived is read first, in one tick: peers are not late because of it. */
  #ticked(now: number): void {
    this.#isSkipped = !this.#isSkipped && now - this.#tickedAt > lateMs
    this.#tickedAt = now
    if (!this.#isSkipped && !this.#tick(now)) this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
