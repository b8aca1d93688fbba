/** Lets those wait who want to look again whenever something has moved on. */

export class Progress {
  #waiters: (() => void)[] = []

  /** Resolves when that is so. */
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
