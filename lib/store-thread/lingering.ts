/** Partitions that are not wanted any more still answer for a time: requests for them may be on the way. */
export class Lingering {
  readonly #ms: number
  readonly #expired: () => void
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>()
  readonly #over = new Set<number>()

  /** @param expired called when the time of a partition is over */
  constructor(ms: number, expired: () => void) {
    this.#ms = ms
    this.#expired = expired
  }

  /**
   * Begins the time of partitions, and forgets that of all others.
   * @returns those of them whose time is over
   */
  over(unwanted: readonly number[]): number[] {
    for (const partition of this.#timers.keys()) if (!unwanted.includes(partition)) this.#forget(partition)
    for (const partition of unwanted) {
      if (this.#timers.has(partition)) continue
      this.#timers.set(
        partition,
        setTimeout(() => this.#end(partition), this.#ms),
      )
    }
    return unwanted.filter((partition) => this.#over.has(partition))
  }

  stop(): void {
    for (const partition of this.#timers.keys()) this.#forget(partition)
  }

  #end(partition: number): void {
    this.#over.add(partition)
    this.#expired()
  }

  #forget(partition: number): void {
    clearTimeout(this.#timers.get(partition))
    this.#timers.delete(partition)
    this.#over.delete(partition)
  }
}
