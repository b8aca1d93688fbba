/**
 * Bound on the bytes of request bodies that have not arrived completely, over all clients of a thread. A body whose head
 * announces it takes its whole length. A request beyond the bound is passed on to Bun's server, of which at most so many
 * requests are in progress as there are slots.
 */
const bytesMaxDefault = 16_777_216

export class BodyBudget {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax = bytesMaxDefault) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** @returns whether there is room; if so, release() has to follow */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}
