/**
 * Changes that were rendered, by their value: a store gives the same value to all clients that follow the key. A few are
 * enough, since all clients get a change soon after one another. A WeakMap would hold every value until the garbage
 * collector gets to it, which at full ingest is never.
 */
const countMax = 1_024
const bytesMax = 4 << 20

export class RenderedValues {
  readonly #rendered = new Map<Uint8Array, Uint8Array>()
  #bytes = 0

  /** @returns undefined if the value is to be rendered; empty if a client does not follow the key */
  of(value: Uint8Array): Uint8Array | undefined {
    return this.#rendered.get(value)
  }

  add(value: Uint8Array, rendered: Uint8Array): void {
    if (value.length + rendered.length > bytesMax) return
    if (this.#rendered.size >= countMax || this.#bytes + value.length + rendered.length > bytesMax) this.clear()
    this.#rendered.set(value, rendered)
    this.#bytes += value.length + rendered.length
  }

  clear(): void {
    this.#rendered.clear()
    this.#bytes = 0
  }
}
