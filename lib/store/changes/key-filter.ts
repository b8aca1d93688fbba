/** Which keys a follower wants. */
import type { FollowedKeys } from '../../store-protocol/following.ts'

const empty = new Uint8Array(0)

export class FollowedKeyFilter {
  readonly #keys: readonly Uint8Array[] | undefined
  /** The keys as text (latin1); made when something has changed, because thousands may follow a key that does not. */
  #texts: ReadonlySet<string> | undefined
  readonly #prefix: Uint8Array
  readonly #partition: number | undefined

  constructor({ keys, prefix = empty, partition }: FollowedKeys) {
    this.#keys = keys
    this.#prefix = prefix
    this.#partition = partition
  }

  /** Each as text (latin1); undefined if the follower names none. */
  get keys(): ReadonlySet<string> | undefined {
    if (this.#keys !== undefined) this.#texts ??= new Set(this.#keys.map(latin1))
    return this.#texts
  }

  wantsPartition(partition: number): boolean {
    return this.#partition === undefined || this.#partition === partition
  }

  /** Returns the key's bytes as text (latin1) if the follower wants it. */
  textOf(data: Buffer, start: number, length: number): string | undefined {
    if (length < this.#prefix.length || !beginsWith(data, start, this.#prefix)) return undefined
    const text = data.toString('latin1', start, start + length)
    const { keys } = this
    return keys === undefined || keys.has(text) ? text : undefined
  }
}

export function beginsWith(data: Uint8Array, start: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (data[start + i] !== prefix[i]) return false
  return true
}

/** Copies: a view would give a small array a buffer of its own, which it keeps. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
