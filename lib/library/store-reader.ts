/** A reader for a program in the same process: synchronous, without a lock, and none of the pool that lookups over HTTP share. */
import { type Lookup } from '../store-protocol/status.ts'
import { type Found, foundOf } from './found.ts'
import { type KeptReader } from '../store/kept-reader.ts'
import { type TypedCodecs } from './typed-codecs.ts'

/**
 * Get it once and keep it: there are 64 of them. A lookup takes about a microsecond, and the time that it takes to decode the value.
 * Every method throws LatchkeyError: recovering, stopping, store_failed, processing_only; for a miss that is to be asked again,
 * replica_recovering and partition_not_held; invalid_key, value_undecodable; readers_exhausted where too many readers are kept; and
 * SchemaPending where a schema of a registry has to be fetched first: await its `ready`, then ask again.
 */
export class StoreReader<K, V> implements Disposable {
  readonly #reader: KeptReader
  readonly #codecs: TypedCodecs<K, V>

  constructor(reader: KeptReader, codecs: TypedCodecs<K, V>) {
    this.#reader = reader
    this.#codecs = codecs
  }

  /** The latest visible value of a key; undefined where it has none. */
  get(key: K): V | undefined {
    const lookup = this.#lookUp(key)
    return lookup && this.#codecs.valueOf(lookup)
  }

  /** The latest visible value of a key, with where it comes from. */
  find(key: K): Found<V> | undefined {
    const lookup = this.#lookUp(key)
    return lookup && foundOf(lookup, this.#codecs.valueOf(lookup))
  }

  has(key: K): boolean {
    return this.#lookUp(key) !== undefined
  }

  /** Gives the reader back. Twice is harmless. */
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
