/** Who waits for a change of which key. */

interface KeyWait {
  readonly key: Uint8Array
  readonly changed: () => void
}

export class KeyWaits {
  /** By hash of the key. */
  readonly #byHash = new Map<number, Set<KeyWait>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns a function that ends the wait; a second call has no effect */
  add(key: Uint8Array, changed: () => void): () => void {
    const wait: KeyWait = { key, changed }
    const hash = keyHash(key, 0, key.length)
    const sameHash = this.#byHash.get(hash) ?? new Set()
    this.#byHash.set(hash, sameHash.add(wait))
    this.#size++
    return () => {
      if (!sameHash.delete(wait)) return
      this.#size--
      if (sameHash.size === 0 && this.#byHash.get(hash) === sameHash) this.#byHash.delete(hash)
    }
  }

  /** Adds to `woken` what is to be called after a change of a key. */
  collect(data: Buffer, start: number, length: number, woken: Set<() => void>): void {
    const sameHash = this.#byHash.get(keyHash(data, start, length))
    if (sameHash === undefined) return
    for (const { key, changed } of sameHash) {
      if (key.length === length && data.compare(key, 0, length, start, start + length) === 0) woken.add(changed)
    }
  }

  all(): (() => void)[] {
    return [...this.#byHash.values()].flatMap((sameHash) => [...sameHash].map(({ changed }) => changed))
  }
}

/** FNV-1a, 32 bits: a collision costs a comparison of keys that a client waits for. */
function keyHash(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}
