/** How long the process of the test itself stood still: its clients and proxies do so with it, and no instance is to blame. */
const tickMs = 20
const keptMs = 10_000

export class Standstill {
  readonly #gaps: { from: number; to: number }[] = []
  #last = performance.now()
  #timer: ReturnType<typeof setInterval> | undefined

  start(): void {
    this.#last = performance.now()
    this.#timer = setInterval(() => this.#tick(), tickMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Milliseconds since this time of performance.now(), together. */
  since(from: number): number {
    // What stands still until now is not noticed by a tick before.
    this.#tick()
    return this.#gaps.reduce((sum, gap) => sum + Math.max(0, gap.to - Math.max(gap.from, from)), 0)
  }

  #tick(): void {
    const now = performance.now()
    if (now - this.#last > 2 * tickMs) this.#gaps.push({ from: this.#last + tickMs, to: now })
    this.#last = now
    while (this.#gaps.length > 0 && this.#gaps[0]!.to < now - keptMs) this.#gaps.shift()
  }
}
