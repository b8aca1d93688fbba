/** Who waits for a change of which key. Thousands may wait, most of them alone for their key. */

/** @template T whom a change of the key concerns */
export interface KeyWait<T> {
  readonly key: Uint8Array
  readonly hash: number
  readonly concerned: T
}

export class KeyWaits<T> {
  /** By hash of the key. */
  readonly #byHash = new Map<number, KeyWait<T> | Set<KeyWait<T>>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(key: Uint8Array, concerned: T): KeyWait<T> {
    const wait: KeyWait<T> = { key, hash: keyHash(key, 0, key.length), concerned }
    const same = this.#byHash.get(wait.hash)
    if (same instanceof Set) same.add(wait)
    else this.#byHash.set(wait.hash, same === undefined ? wait : new Set([same, wait]))
    this.#size++
    return wait
  }

  /** A second call has no effect. */
  remove(wait: KeyWait<T>): void {
    const same = this.#byHash.get(wait.hash)
    const isThere = same instanceof Set ? same.delete(wait) : same === wait
    if (!isThere) return
    this.#size--
    if (!(same instanceof Set) || same.size === 0) this.#byHash.delete(wait.hash)
  }

  /** Adds to `found` whom a change of a key concerns. */
  collect(data: Buffer, start: number, length: number, found: Set<T>): void {
    const same = this.#byHash.get(keyHash(data, start, length))
    if (same === undefined) return
    if (!(same instanceof Set)) collectOne(same, data, start, length, found)
    else for (const wait of same) collectOne(wait, data, start, length, found)
  }

  /** Whom a change of any key concerns. */
  all(): T[] {
    return [...this.#byHash.values()].flatMap((same) => {
      return same instanceof Set ? Array.from(same, ({ concerned }) => concerned) : [same.concerned]
    })
  }
}

function collectOne<T>(
  { key, concerned }: KeyWait<T>,
  data: Buffer,
  start: number,
  length: number,
  found: Set<T>,
): void {
  if (key.length === length && data.compare(key, 0, length, start, start + length) === 0) found.add(concerned)
}

/** FNV-1a, 32 bits: a collision costs a comparison of keys that a client waits for. */
function keyHash(bytes: Uint8Array, start: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = start; i < start + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}
