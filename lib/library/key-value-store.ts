/**
 * A store for use in a program. Keys and values are typed by the definition, or are bytes. Wraps the store in bytes
 * (`bytes`), which also serves HTTP; holds no data itself.
 */
import { version } from '../../package.json' with { type: 'json' }
import { schemaWaitMsDefault, withSchemas } from '../definition/schema-wait.ts'
import type { LatchkeyError } from '../errors.ts'
import { writePending } from '../log/index.ts'
import { createMetrics, LookupStats, type Metrics, processFacts } from '../metrics/index.ts'
import type { RoutedStore } from '../routing/index.ts'
import { isKeyNotFound } from '../store-protocol/reads.ts'
import type { Lookup, StoreState, StoreStatus } from '../store-protocol/status.ts'
import type { Store } from '../store/store.ts'
import { type AwaitedRecord, waitFor } from './awaited-record.ts'
import type { EmbeddedGroup } from './embedded-group.ts'
import { type Found, foundOf } from './found.ts'
import { SerialQueue } from './serial-queue.ts'
import { changesOf, type FollowedChanges, type StoreChange } from './store-changes-iterator.ts'
import { entriesOf, type EntriesOptions, type StoreEntry, valuesOf } from './store-entries.ts'
import { StoreReader } from './store-reader.ts'
import type { TypedCodecs } from './typed-codecs.ts'

/**
 * Reads throw or reject with LatchkeyError: recovering (`details` has the progress), stopping, store_failed,
 * processing_only, readers_exhausted; replica_recovering and partition_not_held for a miss that should be retried;
 * invalid_key, value_undecodable, schema_unavailable.
 *
 * A write goes to the changelog first, then to memory. It is visible after the next flush. Its promise resolves when
 * the changelog has acknowledged it with all in-sync replicas. Writes to one partition are written in the order of the
 * calls, after the source records that were read before. A later source record replaces a written value, as usual.
 * Writes run neither callbacks nor `convert`.
 *
 * Writes reject with LatchkeyError: recovering, stopping, store_failed, processing_only; partition_not_held if this
 * instance does not have the partition as primary; fenced if another instance has taken it; entry_too_large;
 * invalid_key, invalid_value, schema_unavailable; and, immediately, writes_exhausted if 100,000 writes or 64 MiB of
 * them already wait for Kafka. While Kafka is unreachable, writes wait. A write that rejects with stopping or
 * store_failed while it waits may or may not be in the changelog.
 *
 * @template K type of keys
 * @template V type of stored values
 */
export class KeyValueStore<K, V> implements AsyncDisposable {
  /** The same store in bytes: in a group, what this instance holds. */
  readonly bytes: Store
  /** Of serve(): its group; undefined without one. */
  readonly group: EmbeddedGroup | undefined
  /** Metrics in Prometheus' text format, as in `GET /metrics`. */
  readonly metrics: Metrics
  /** Counts lookups; serve() updates it. */
  readonly lookupStats = new LookupStats()
  readonly #codecs: TypedCodecs<K, V>
  readonly #writes = new SerialQueue()

  constructor(bytes: Store, codecs: TypedCodecs<K, V>, group?: EmbeddedGroup) {
    this.bytes = bytes
    this.group = group
    this.metrics = createMetrics(bytes, this.lookupStats, processFacts(version))
    this.#codecs = codecs
  }

  get id(): string {
    return this.bytes.id
  }

  /**
   * `starting`, `recovering`, `running`, `stopping` or `failed`. Reads and writes are possible while it is `running`.
   */
  get state(): StoreState {
    return this.bytes.state
  }

  /**
   * Resolves when the store meets all conditions of readiness, which depend on readyWhen. Rejects with LatchkeyError if
   * the store fails or is closed before.
   */
  get ready(): Promise<void> {
    return this.bytes.ready
  }

  /** Resolves if the store fails permanently. Never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.group === undefined ? this.bytes.failed : Promise.race([this.bytes.failed, this.group.failed])
  }

  /** Number of keys that this instance holds, including changes that the next flush will make visible. */
  get size(): number {
    const { stats } = this.bytes
    return stats.partitions.reduce((sum, partition) => sum + Math.max(stats.gauge(partition, 'entries'), 0), 0)
  }

  /**
   * State, partitions with position, lag and entries, and conditions of readiness: the response of
   * `GET /status-store/<id>`.
   */
  status(): StoreStatus {
    return this.bytes.status()
  }

  /**
   * Calls `listener` with every later state.
   * @returns a function that ends the calls
   */
  onState(listener: (state: StoreState) => void): () => void {
    return this.bytes.onState(listener)
  }

  /** Returns the latest visible value of a key; undefined if the key has no value. In a group, of any instance. */
  async get(key: K): Promise<V | undefined> {
    const lookup = await this.#lookUp(key)
    return lookup && this.#valueOf(lookup)
  }

  /** Returns the latest visible value of a key with its origin; undefined if the key has no value. */
  async find(key: K): Promise<Found<V> | undefined> {
    const lookup = await this.#lookUp(key)
    return lookup && foundOf(lookup, await this.#valueOf(lookup))
  }

  /**
   * Returns the latest visible values of several keys in their order: all of one instant, over all partitions held here.
   * In a group those of each instance are of one instant. Rejects if one of the keys is not known: see get().
   */
  async getMany(keys: readonly K[]): Promise<(V | undefined)[]> {
    return valuesOf(this.#view, this.#codecs, keys)
  }

  /**
   * Walks the entries that this instance holds, in a group those of all, in no useful order. An entry that is there from
   * the first to the last comes exactly once; one that is written or deleted meanwhile comes or not. If a partition moves
   * within a group, its entries may come twice. Holds a few hundred entries at a time.
   * Throws as get() does, and ends if the program leaves the loop.
   */
  entries(options: EntriesOptions = {}): AsyncGenerator<StoreEntry<K, V>, void> {
    return entriesOf(() => this.#view, this.#codecs, options)
  }

  async has(key: K): Promise<boolean> {
    return (await this.#lookUp(key)) !== undefined
  }

  /** Returns a synchronous reader of what this instance holds. Close it when it is no longer needed. */
  reader(): StoreReader<K, V> {
    return new StoreReader(this.bytes.reader(), this.#codecs)
  }

  /**
   * Writes the value of a key to the key's partition, chosen by `partitioner`: by murmur2 if that is `none`. In a group
   * this instance has to be its primary: the error partition_not_held has the `url` of the one that is.
   */
  async put(key: K, value: V): Promise<void> {
    return this.#write(key, () => this.#codecs.valueBytes(value))
  }

  /** Deletes a key, whether or not it has a value. */
  async delete(key: K): Promise<void> {
    return this.#write(key, () => null)
  }

  /**
   * Like put(), but to a partition of the caller's choice. Lookups search the key's own partition first, then the
   * others.
   */
  async putToPartition(partition: number, key: K, value: V): Promise<void> {
    return this.#write(key, () => this.#codecs.valueBytes(value), partition)
  }

  /** Like delete(), but in a partition of the caller's choice. */
  async deleteToPartition(partition: number, key: K): Promise<void> {
    return this.#write(key, () => null, partition)
  }

  /**
   * Makes acknowledged writes visible, and waits for everything that was read or written before the call:
   * `await store.put(…); await store.flush()` reads its own write. Waits while Kafka is unreachable. Other instances of a
   * group are not flushed.
   * @returns the number of operations that became visible
   */
  flush(): Promise<number> {
    return this.bytes.flush()
  }

  /**
   * Follows what becomes visible. Several changes of a key between two publishes are one, and a slow reader skips values
   * in between; it gets the last one of each key. The order holds within a partition.
   * Throws LatchkeyError while the iterator is read: stopping, store_failed, waits_exhausted, partition_not_held; in a
   * group owner_unreachable, if no instance serves a partition that is followed.
   */
  changes(options: FollowedChanges<K> = {}): AsyncGenerator<StoreChange<K, V>, void> {
    return changesOf(() => this.#view, this.#codecs, options)
  }

  /**
   * Waits until a source record is visible here, as its partition and offset name it: a lookup after that shows this
   * record of its key, or a later one. Causes no flush.
   * Rejects with LatchkeyError: not_yet_visible after `timeoutMs` (5,000 by default), or if another instance has taken
   * the partition; partition_not_held; invalid_parameter for a partition that does not exist; waits_exhausted.
   */
  async waitFor(record: AwaitedRecord): Promise<void> {
    return waitFor(this.#view, record)
  }

  /**
   * Stops reading the source, completes pending work and commits, within about 15 s. Rejects writes that the changelog
   * has not acknowledged by then. Afterwards nothing can be read. A second call has no effect. In a group it hands its
   * partitions over first, while serve() still answers: stop the server afterwards.
   */
  async close(): Promise<void> {
    await this.group?.leave()
    await this.bytes.close()
    writePending()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #lookUp(key: K): Promise<Lookup | undefined> {
    const bytes = await withSchemas(() => this.#codecs.keyBytes(key), schemaWaitMsDefault)
    if (this.group === undefined) return this.bytes.get(bytes)
    try {
      return await this.group.view.get(bytes)
    } catch (thrown) {
      if (isKeyNotFound(thrown)) return undefined
      throw thrown
    }
  }

  /** What is read: in a group, the partitions of all instances. */
  get #view(): Store | RoutedStore<Store> {
    return this.group?.view ?? this.bytes
  }

  #valueOf(lookup: Lookup): V | Promise<V> {
    return withSchemas(() => this.#codecs.valueOf(lookup), schemaWaitMsDefault)
  }

  /** Encodes and sends writes in the order of the calls. */
  #write(key: K, value: () => Uint8Array | null, partition?: number): Promise<void> {
    const writing = this.#writes.run(() => {
      const keyBytes = this.#codecs.keyBytes(key)
      return { acknowledged: this.bytes.write(keyBytes, value(), partition) }
    })
    return writing instanceof Promise ? writing.then(({ acknowledged }) => acknowledged) : writing.acknowledged
  }
}
