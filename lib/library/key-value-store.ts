/**
 * A store as a program holds it: keys and values typed, by the definition, or bytes. The handle in bytes, which HTTP is served from, lies
 * under it as `bytes`; nothing is kept twice.
 */
import { withSchemas } from '../definition/schema-wait.ts'
import { type LatchkeyError } from '../errors.ts'
import { writePending } from '../log/index.ts'
import { createMetrics, LookupStats, type Metrics } from '../metrics/index.ts'
import { version } from '../../package.json' with { type: 'json' }
import { type Lookup, type StoreState, type StoreStatus } from '../store-protocol/status.ts'
import { type Store } from '../store/store.ts'
import { type Found, foundOf } from './found.ts'
import { InTurn } from './in-turn.ts'
import { StoreReader } from './store-reader.ts'
import { type TypedCodecs } from './typed-codecs.ts'

const schemaWaitMs = 10_000

/**
 * What reads throws or rejects with LatchkeyError: recovering (its details hold the progress), stopping, store_failed, processing_only,
 * readers_exhausted; for a miss that is to be asked again, replica_recovering and partition_not_held; invalid_key, value_undecodable,
 * schema_unavailable.
 *
 * What writes goes to the changelog first, then to memory, and is visible after the next flush. Its promise resolves when the changelog has
 * acknowledged it with all in-sync replicas. Writes of one partition are written in the order of the calls, behind what was read of the
 * source before; a later record of the source replaces what was written, as records do. Callbacks and `convert` are not run on writes. They
 * reject with LatchkeyError: recovering, stopping, store_failed, processing_only; partition_not_held where this instance has not the
 * partition as primary; fenced where another instance has taken it; entry_too_large; invalid_key, invalid_value, schema_unavailable; and
 * writes_exhausted at once where 100,000 writes or 64 MiB of them wait for Kafka already. While Kafka is away they wait. A write that is
 * rejected with stopping or store_failed while it waits may be in the changelog or not.
 *
 * @template K of keys @template V of the values that are stored
 */
export class KeyValueStore<K, V> implements AsyncDisposable {
  /** The same store in bytes: what serve() answers from. */
  readonly bytes: Store
  /** In Prometheus' text format; the same figures as `GET /metrics`. */
  readonly metrics: Metrics
  /** Counted by serve(). */
  readonly lookupStats = new LookupStats()
  readonly #codecs: TypedCodecs<K, V>
  readonly #writes = new InTurn()

  constructor(bytes: Store, codecs: TypedCodecs<K, V>) {
    this.bytes = bytes
    this.metrics = createMetrics(bytes, this.lookupStats, version)
    this.#codecs = codecs
  }

  get id(): string {
    return this.bytes.id
  }

  /** `starting`, `recovering`, `running`, `stopping` or `failed`. Reads and writes are possible while it is running. */
  get state(): StoreState {
    return this.bytes.state
  }

  /** Resolves once all conditions of readiness hold, which readyWhen names; rejects with LatchkeyError if the store fails or is closed before. */
  get ready(): Promise<void> {
    return this.bytes.ready
  }

  /** Resolves if the store fails for good; never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.bytes.failed
  }

  /** Keys that this instance holds, those included that the next flush will show or remove. */
  get size(): number {
    const { stats } = this.bytes
    return stats.partitions.reduce((sum, partition) => sum + Math.max(stats.gauge(partition, 'entries'), 0), 0)
  }

  /** State, partitions with position, lag and entries, conditions of readiness; what `GET /status-store/<id>` answers. */
  status(): StoreStatus {
    return this.bytes.status()
  }

  /** Calls `listener` with every state from now on. @returns ends that */
  onState(listener: (state: StoreState) => void): () => void {
    return this.bytes.onState(listener)
  }

  /** The latest visible value of a key; undefined where it has none. */
  async get(key: K): Promise<V | undefined> {
    const lookup = await this.#lookUp(key)
    return lookup && this.#valueOf(lookup)
  }

  /** The latest visible value of a key, with where it comes from. */
  async find(key: K): Promise<Found<V> | undefined> {
    const lookup = await this.#lookUp(key)
    return lookup && foundOf(lookup, await this.#valueOf(lookup))
  }

  async has(key: K): Promise<boolean> {
    return (await this.#lookUp(key)) !== undefined
  }

  /** A reader that answers at once; close it when it is no longer needed. */
  reader(): StoreReader<K, V> {
    return new StoreReader(this.bytes.reader(), this.#codecs)
  }

  /** Writes the value of a key, to the partition that the key belongs to by `partitioner`: by murmur2 where that is `none`. */
  async put(key: K, value: V): Promise<void> {
    return this.#write(key, () => this.#codecs.valueBytes(value))
  }

  /** Deletes a key, whether it has a value or not. */
  async delete(key: K): Promise<void> {
    return this.#write(key, () => null)
  }

  /** As put(), to another partition than that of the key: lookups look into the key's own first, then into the others. */
  async putToPartition(partition: number, key: K, value: V): Promise<void> {
    return this.#write(key, () => this.#codecs.valueBytes(value), partition)
  }

  /** As delete(), in another partition than that of the key. */
  async deleteToPartition(partition: number, key: K): Promise<void> {
    return this.#write(key, () => null, partition)
  }

  /**
   * Makes visible what was acknowledged, and what was read or written before the call, once that is: `await store.put(…); await store.flush()`
   * reads its own write. Waits while Kafka is away.
   * @returns the number of operations made visible meanwhile
   */
  flush(): Promise<number> {
    return this.bytes.flush()
  }

  /**
   * Stops reading the source, finishes what is on its way, commits; bounded by some 15 s. Writes that the changelog has not acknowledged by
   * then are rejected. Afterwards nothing can be read. Twice is harmless.
   */
  async close(): Promise<void> {
    await this.bytes.close()
    writePending()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #lookUp(key: K): Promise<Lookup | undefined> {
    return this.bytes.get(await withSchemas(() => this.#codecs.keyBytes(key), schemaWaitMs))
  }

  #valueOf(lookup: Lookup): V | Promise<V> {
    return withSchemas(() => this.#codecs.valueOf(lookup), schemaWaitMs)
  }

  /** Encoded in the order of the calls, and on its way before a later call can be. */
  #write(key: K, value: () => Uint8Array | null, partition?: number): Promise<void> {
    const writing = this.#writes.run(() => {
      const keyBytes = this.#codecs.keyBytes(key)
      return { acknowledged: this.bytes.write(keyBytes, value(), partition) }
    })
    return writing instanceof Promise ? writing.then(({ acknowledged }) => acknowledged) : writing.acknowledged
  }
}
