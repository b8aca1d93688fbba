/**
 * The handle of a store in the main thread, in bytes: what HTTP holds, and what an embedder's typed handle stands on. It stands before its
 * store threads.
 */
import { type Definition, definitionOfFormats } from '../definition/index.ts'
import { type Presentation, presentationOf } from '../definition/presentation.ts'
import { type LatchkeyError } from '../errors.ts'
import { KeptReader } from './kept-reader.ts'
import { explainMiss } from './misses.ts'
import { notServing, processingOnly } from './not-serving.ts'
import { partitionFor } from './partitioner.ts'
import { replicaLag } from './partition-status.ts'
import { Shards } from './shards.ts'
import { statusOf } from './store-status.ts'
import { explainWriteRefusal } from './write-refusals.ts'
import { type StoreLogging } from '../store-protocol/messages.ts'
import { type StatsView } from '../store-protocol/stats-view.ts'
import { type Lookup, type RecoveryProgress, type StoreState, type StoreStatus } from '../store-protocol/status.ts'
import { type StoreConfig } from '../store-protocol/store-config.ts'
import { ownThreads, type StoreAccess } from './store-port.ts'

/**
 * Opens a store; it starts at once, in state `starting`, and tells by `state`, onState() and `failed` how it fares.
 * @param access how its threads are reached, where another thread has started them
 */
export function openStore(
  config: StoreConfig,
  logging: StoreLogging = { level: 'warning', structured: false },
  definition?: Definition,
  access: StoreAccess = ownThreads,
): Store {
  return new Store(config, logging, definition, access)
}

export class Store {
  readonly id: string
  /** How its keys and values are written in requests and answers. */
  readonly presentation: Presentation
  readonly #config: StoreConfig
  readonly #failure = Promise.withResolvers<LatchkeyError>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #listeners = new Set<(state: StoreState) => void>()
  readonly #shards: Shards
  #closing: Promise<void> | undefined

  constructor(config: StoreConfig, logging: StoreLogging, definition?: Definition, access = ownThreads) {
    this.id = config.storeId
    this.presentation = presentationOf(definition ?? definitionOfFormats(config.formats))
    this.#config = config
    const events = { state: (state: StoreState) => this.#changed(state), caughtUp: () => this.#checkReady() }
    this.#shards = new Shards(config, logging, events, access)
    this.#ready.promise.catch(() => {})
  }

  /** Resolves once all conditions of readiness hold; rejects with LatchkeyError if the store fails or is closed before. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Resolves if the store fails for good; never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.#failure.promise
  }

  /** Partitions that came later do not hold up the others: they recover while the store runs. */
  get state(): StoreState {
    return this.#shards.state
  }

  /** In shared memory, written by the store threads. Without partitions until the topics are known. */
  get stats(): StatsView {
    return this.#shards.stats
  }

  get readers(): { size: number; inUse: number; waiting: number } {
    return this.#shards.readers
  }

  /** Called with every state from now on. @returns ends that */
  onState(listener: (state: StoreState) => void): () => void {
    const own = (state: StoreState) => listener(state)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** A key that this store holds, for a first lookup; undefined while none is known. */
  sampleKey(): Uint8Array | undefined {
    return this.#shards.all.find((shard) => shard.sampleKey !== undefined)?.sampleKey
  }

  /**
   * The latest published value of a key: at once where a reader is free, else once one is.
   * Throws or rejects with LatchkeyError: recovering, readers_exhausted, stopping, store_failed, processing_only, and for a miss that
   * is to be asked again, replica_recovering and partition_not_held.
   */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    this.#requireServing('Reading')
    const found = this.#shards.find(key)
    return found instanceof Promise ? found.then((lookup) => this.#answer(key, lookup)) : this.#answer(key, found)
  }

  /** A reader beside the pool, for lookups that are to be answered at once: see KeptReader. */
  reader(): KeptReader {
    const serving = (key: Uint8Array) => {
      this.#requireServing('Reading')
      return this.#shards.inOrder(key)
    }
    return new KeptReader(serving, (key, found) => this.#answer(key, found))
  }

  /**
   * Writes a key's value to the changelog, then to memory; a flush makes it visible. Writes of one partition are written in the order of the
   * calls, behind the source records that were read before.
   * @param value null to delete the key
   * @param partition by default the one that the key belongs to
   * @returns resolves when the changelog has acknowledged it; rejects with LatchkeyError where it will not, or where that is not known any
   *   more: recovering, stopping, store_failed, processing_only, partition_not_held, fenced, entry_too_large, writes_exhausted
   */
  async write(key: Uint8Array, value: Uint8Array | null, partition = this.partitionOf(key)): Promise<void> {
    this.#requireServing('Writing to')
    const shard = this.#shards.ownerOf(partition) ?? this.#shards.all[0]!
    if (shard.state !== 'running') throw notServing(`Writing to store ${this.id}`, shard.state, shard)
    const refusal = explainWriteRefusal(this.#config, partition, this.#shards.held, shard, { key, value })
    if (refusal !== undefined) throw refusal
    await shard.writes.write(partition, key, value)
  }

  /** Where a key belongs, by the partitioner of the settings; by Kafka's own where that is not known, or leaves it open. */
  partitionOf(key: Uint8Array): number {
    const { partitionCount } = this.#shards.held
    return partitionFor(key, partitionCount, this.#config.partitioner) ?? partitionFor(key, partitionCount, 'murmur2')!
  }

  /** Makes visible what was consumed before; resolves with the number of operations made visible. Rejects while not running. */
  async flush(): Promise<number> {
    this.#requireRunning('Flushing')
    const running = this.#shards.all.filter((shard) => shard.state === 'running')
    const flushed = await Promise.all(running.map((shard) => shard.flush()))
    return flushed.reduce((sum, operations) => sum + operations, 0)
  }

  /** Partitions at which progress() has ended before all was read: they have halted, and all others have arrived. */
  haltedShort(): number[] {
    return this.#shards.haltedShort
  }

  /** Of recovery, a rebuild or catching up with the source; null where none is under way. */
  progress(): RecoveryProgress | null {
    return this.#shards.progress
  }

  status(): StoreStatus {
    return statusOf(this.#config, this.presentation.formats, this.#shards)
  }

  /** Stops fetching, finishes what is in flight, commits; bounded. Afterwards nothing can be read. */
  close(): Promise<void> {
    this.#closing ??= this.#shards.close()
    this.#ready.reject(notServing(`Waiting for store ${this.id}`, 'stopping', this.#shards))
    return this.#closing
  }

  #answer(key: Uint8Array, found: Lookup | undefined): Lookup | undefined {
    const held = this.#shards.held
    if (found === undefined) {
      const miss = explainMiss(key, held, this.stats, this.#config)
      if (miss !== undefined) throw miss
    } else if (held.replicas.length > 0) {
      const { stats } = this
      if (stats.gauge(found.partition, 'role') === 1) found.replicaLag = replicaLag(stats, found.partition)
    }
    return found
  }

  #changed(state: StoreState): void {
    const failure = this.#shards.all.find((shard) => shard.failure !== undefined)?.failure
    if (failure !== undefined) {
      this.#failure.resolve(failure)
      this.#ready.reject(failure)
    }
    this.#checkReady()
    for (const listener of this.#listeners) listener(state)
  }

  #checkReady(): void {
    if (this.state === 'running' && this.status().conditions.every(({ ok }) => ok)) this.#ready.resolve()
  }

  #requireServing(attempted: string): void {
    if (this.#config.useProcessingOnly) throw processingOnly(`${attempted} store ${this.id}`)
    this.#requireRunning(attempted)
  }

  #requireRunning(attempted: string): void {
    if (this.state === 'running' && this.#closing === undefined) return
    const state = this.#closing === undefined ? this.state : 'stopping'
    throw notServing(`${attempted} store ${this.id}`, state, this.#shards)
  }
}
