/** Which keys a follower wants. */
import type { FollowedKeys } from '../../store-protocol/following.ts'

const empty = new Uint8Array(0)

export class FollowedKeyFilter {
  readonly #keys: readonly Uint8Array[] | undefined
  /** The keys as text (latin1); made when something has changed, because thousands may follow a key that does not. */
  #texts: ReadonlySet<string> | undefined
  readonly prefix: Uint8Array
  /** Undefined for all that are held. */
  readonly partitions: ReadonlySet<number> | undefined
  /** The same for filters of the same partitions. */
  readonly partitionsName: string

  constructor({ keys, prefix = empty, partitions }: FollowedKeys) {
    this.#keys = keys
    this.prefix = prefix
    this.partitions = partitions && new Set(partitions)
    this.partitionsName = partitions === undefined ? 'all' : partitions.join()
  }

  /** As the follower has named them; undefined if it names none. */
  get listed(): readonly Uint8Array[] | undefined {
    return this.#keys
  }

  /** Each as text (latin1); undefined if the follower names none. */
  get keys(): ReadonlySet<string> | undefined {
    if (this.#keys !== undefined) this.#texts ??= new Set(this.#keys.map(latin1))
    return this.#texts
  }

  wantsPartition(partition: number): boolean {
    return this.partitions === undefined || this.partitions.has(partition)
  }

  /** Returns the key's bytes as text (latin1) if the follower wants it. */
  textOf(data: Buffer, start: number, length: number): string | undefined {
    if (length < this.prefix.length || !beginsWith(data, start, this.prefix)) return undefined
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
