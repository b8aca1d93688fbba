/** One timer for everything that waits in a thread, since a timer for each lookup costs more than the lookup. */

const tickMs = 25

export class Ticker {
  readonly #tick: (now: number) => boolean
  #timer: Timer | undefined

  /** @param tick called with performance.now(); returns whether to go on */
  constructor(tick: (now: number) => boolean) {
    this.#tick = tick
  }

  start(): void {
    this.#timer ??= setInterval(() => {
      if (!this.#tick(performance.now())) this.stop()
    }, tickMs)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
