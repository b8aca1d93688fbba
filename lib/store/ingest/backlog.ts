/** What is encoded and not yet acknowledged, over all partitions: beyond a bound nothing more is decoded. */

export const backlogBytesMax = 32 << 20

export class Backlog {
  #bytes = 0
  #waiter: PromiseWithResolvers<void> | undefined

  /** @param bytes negative for what is settled */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= backlogBytesMax) return
    this.#waiter?.resolve()
    this.#waiter = undefined
  }

  /** Resolves when there is room; undefined where there is. */
  room(): Promise<void> | undefined {
    if (this.#bytes < backlogBytesMax) return undefined
    this.#waiter ??= Promise.withResolvers<void>()
    return this.#waiter.promise
  }
}
