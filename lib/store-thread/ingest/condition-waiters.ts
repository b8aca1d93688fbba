/** Lets callers wait for a condition, which is checked again after each change. */

export class ConditionWaiters {
  #waiters: (() => void)[] = []

  /** Resolves when isSo() returns true. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  made(): void {
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const resolve of waiters) resolve()
  }
}
