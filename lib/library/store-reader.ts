/**
 * A reader for a program in the same process: synchronous, lock-free, and not part of the pool that lookups over HTTP
 * use.
 */
import type { Lookup } from '../store-protocol/status.ts'
import type { PinnedReader } from '../store/pinned-reader.ts'
import { type Found, foundOf } from './found.ts'
import type { TypedCodecs } from './typed-codecs.ts'

/**
 * Open a reader once and keep it: at most 64 can be open. A lookup takes about a microsecond, plus the time to decode
 * the value.
 * Every method throws LatchkeyError: recovering, stopping, store_failed, processing_only; replica_recovering and
 * partition_not_held for a miss that should be retried; invalid_key, value_undecodable; readers_exhausted if too many
 * readers are open. It throws SchemaPending if a schema has to be fetched from a registry first: await its `ready`,
 * then call again.
 */
export class StoreReader<K, V> implements Disposable {
  readonly #reader: PinnedReader
  readonly #codecs: TypedCodecs<K, V>

  constructor(reader: PinnedReader, codecs: TypedCodecs<K, V>) {
    this.#reader = reader
    this.#codecs = codecs
  }

  /** Returns the latest visible value of a key; undefined if the key has no value. */
  get(key: K): V | undefined {
    const lookup = this.#lookUp(key)
    return lookup && this.#codecs.valueOf(lookup)
  }

  /** Returns the latest visible value of a key with its origin; undefined if the key has no value. */
  find(key: K): Found<V> | undefined {
    const lookup = this.#lookUp(key)
    return lookup && foundOf(lookup, this.#codecs.valueOf(lookup))
  }

  has(key: K): boolean {
    return this.#lookUp(key) !== undefined
  }

  /** Returns the reader to the store. A second call has no effect. */
  close(): void {
    this.#reader.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #lookUp(key: K): Lookup | undefined {
    return this.#reader.get(this.#codecs.keyBytes(key))
  }
}
