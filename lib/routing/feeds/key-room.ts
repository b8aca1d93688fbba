/** Bounds the keys that other instances have one thread follow: a request of a mebibyte may name hundreds of thousands. */
import type { FollowedKeys } from '../../store-protocol/following.ts'

const bytesMaxDefault = 268_435_456
/** Approximate memory of a key beside its bytes: the key, and where it waits for changes. */
const keyBytes = 256

export class KeyRoom {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax = bytesMaxDefault) {
    this.#bytesMax = bytesMax
  }

  /** @returns whether there is room; if so, release() has to follow */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}

export function keyBytesOf({ keys = [], prefix }: FollowedKeys): number {
  return keys.reduce((sum, key) => sum + key.length + keyBytes, prefix?.length ?? 0)
}
