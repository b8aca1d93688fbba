/**
 * The handle of a store in the main thread, in bytes: what HTTP holds, and what an embedder's typed handle stands on. It stands before one
 * store thread, and before another one for partitions that the topic gets while it runs.
 */
import { type Definition, definitionOfFormats } from '../definition/index.ts'
import { type Presentation, presentationOf } from '../definition/presentation.ts'
import { type LatchkeyError } from '../errors.ts'
import { loggerOf } from '../log.ts'
import { configOfAdded } from './handle/added-partitions.ts'
import { KeptReader } from './handle/kept-reader.ts'
import { explainMiss, type Held } from './handle/misses.ts'
import { notServing, processingOnly } from './handle/not-serving.ts'
import { partitionFor } from './handle/partitioner.ts'
import { replicaLag } from './handle/partition-status.ts'
import { statusOf } from './handle/store-status.ts'
import { explainWriteRefusal } from './handle/write-refusals.ts'
import { Shard, type StoreLogging } from './shard.ts'
import { mergedStats, type StatsView } from './contract/stats-view.ts'
import { type Lookup, type StoreState, type StoreStatus } from './contract/status.ts'
import { type StoreConfig } from './contract/store-config.ts'

/** Opens a store; it starts at once, in state `starting`, and tells by `state`, onState() and `failed` how it fares. */
export function openStore(
  config: StoreConfig,
  logging: StoreLogging = { level: 'warning', structured: false },
  definition?: Definition,
): Store {
  return new Store(config, logging, definition)
}

export class Store {
  readonly id: string
  /** How its keys and values are written in requests and answers. */
  readonly presentation: Presentation
  readonly #config: StoreConfig
  readonly #logging: StoreLogging
  readonly #failure = Promise.withResolvers<LatchkeyError>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #listeners = new Set<(state: StoreState) => void>()
  readonly #first: Shard
  /** The first one too. */
  readonly #shards: Shard[]
  #held: Held | undefined
  #closing: Promise<void> | undefined

  constructor(config: StoreConfig, logging: StoreLogging, definition?: Definition) {
    this.id = config.storeId
    this.presentation = presentationOf(definition ?? definitionOfFormats(config.formats))
    this.#config = config
    this.#logging = logging
    this.#first = new Shard(config, logging, {
      state: (state) => this.#changed(this.#first, state),
      caughtUp: () => this.#checkReady(),
      grown: (partitionCount) => this.#grow(partitionCount),
    })
    this.#shards = [this.#first]
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
    return this.#shards.some((shard) => shard.state === 'failed') ? 'failed' : this.#first.state
  }

  /** In shared memory, written by the store threads. Without partitions until the topics are known. */
  get stats(): StatsView {
    return this.#shards.length === 1 ? this.#first.stats : mergedStats(this.#shards.map((shard) => shard.stats))
  }

  get readers(): { size: number; inUse: number; waiting: number } {
    const { size } = this.#first.readers
    const sum = (of: 'inUse' | 'waiting') => this.#shards.reduce((total, shard) => total + shard.readers[of], 0)
    return { size, inUse: sum('inUse'), waiting: sum('waiting') }
  }

  /** Called with every state from now on. @returns ends that */
  onState(listener: (state: StoreState) => void): () => void {
    const own = (state: StoreState) => listener(state)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** A key that this store holds, for a first lookup; undefined while none is known. */
  sampleKey(): Uint8Array | undefined {
    return this.#shards.find((shard) => shard.sampleKey !== undefined)?.sampleKey
  }

  /**
   * The latest published value of a key: at once where a reader is free, else once one is.
   * Throws or rejects with LatchkeyError: recovering, readers_exhausted, stopping, store_failed, processing_only, and for a miss that
   * is to be asked again, replica_recovering and partition_not_held.
   */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    this.#requireServing('Reading')
    if (this.#shards.length > 1) return this.#findInAll(key)
    const found = this.#first.find(key)
    return found instanceof Promise ? found.then((lookup) => this.#answer(key, lookup)) : this.#answer(key, found)
  }

  /** A reader beside the pool, for lookups that are to be answered at once: see KeptReader. */
  reader(): KeptReader {
    const serving = (key: Uint8Array) => {
      this.#requireServing('Reading')
      return this.#shards.length === 1 ? this.#shards : this.#inOrder(key).filter(({ state }) => state === 'running')
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
    const shard = this.#shards.find(({ held }) => held.primaries.includes(partition)) ?? this.#first
    if (shard.state !== 'running') throw notServing(`Writing to store ${this.id}`, shard.state, shard)
    const refusal = explainWriteRefusal(this.id, partition, this.#holding(), shard, { key, value })
    if (refusal !== undefined) throw refusal
    await shard.writes.write(partition, key, value)
  }

  /** Where a key belongs, by the partitioner of the settings; by Kafka's own where that is not known, or leaves it open. */
  partitionOf(key: Uint8Array): number {
    const { partitionCount } = this.#holding()
    return partitionFor(key, partitionCount, this.#config.partitioner) ?? partitionFor(key, partitionCount, 'murmur2')!
  }

  /** Makes visible what was consumed before; resolves with the number of operations made visible. Rejects while not running. */
  async flush(): Promise<number> {
    this.#requireRunning('Flushing')
    const running = this.#shards.filter((shard) => shard.state === 'running')
    const flushed = await Promise.all(running.map((shard) => shard.flush()))
    return flushed.reduce((sum, operations) => sum + operations, 0)
  }

  status(): StoreStatus {
    return statusOf(this.#config, this.presentation.formats, this.state, this.stats, this.#holding(), this.#shards)
  }

  /** Stops fetching, finishes what is in flight, commits; bounded. Afterwards nothing can be read. */
  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#shards.map((shard) => shard.close())).then(() => {})
    this.#ready.reject(notServing(`Waiting for store ${this.id}`, 'stopping', this.#first))
    return this.#closing
  }

  /** A key's partition changes with their number: what was written last is where it belongs now. */
  async #findInAll(key: Uint8Array): Promise<Lookup | undefined> {
    for (const shard of this.#inOrder(key)) {
      const found = shard.state === 'running' ? await shard.find(key) : undefined
      if (found !== undefined) return this.#answer(key, found)
    }
    return this.#answer(key, undefined)
  }

  #inOrder(key: Uint8Array): Shard[] {
    const home = partitionFor(key, this.#holding().partitionCount, 'murmur2')!
    const isHome = ({ held }: Shard) => held.primaries.includes(home) || held.replicas.includes(home)
    return this.#shards.toSorted((a, b) => Number(isHome(b)) - Number(isHome(a)))
  }

  #answer(key: Uint8Array, found: Lookup | undefined): Lookup | undefined {
    const held = this.#holding()
    if (found === undefined) {
      const miss = explainMiss(key, held, this.stats, this.#config)
      if (miss !== undefined) throw miss
    } else if (held.replicas.length > 0) {
      const { stats } = this
      if (stats.gauge(found.partition, 'role') === 1) found.replicaLag = replicaLag(stats, found.partition)
    }
    return found
  }

  /** What all threads together hold; one thread, as nearly always, tells it itself. */
  #holding(): Held {
    if (this.#shards.length === 1) return this.#first.held
    this.#held ??= {
      primaries: this.#shards.flatMap((shard) => shard.held.primaries),
      replicas: this.#shards.flatMap((shard) => shard.held.replicas),
      partitionCount: Math.max(...this.#shards.map((shard) => shard.held.partitionCount)),
    }
    return this.#held
  }

  #changed(shard: Shard, state: StoreState): void {
    this.#held = undefined
    if (shard.failure !== undefined) {
      this.#failure.resolve(shard.failure)
      this.#ready.reject(shard.failure)
    }
    this.#checkReady()
    if (shard === this.#first || state === 'failed') for (const listener of this.#listeners) listener(state)
  }

  #checkReady(): void {
    if (this.#first.state === 'running' && this.status().conditions.every(({ ok }) => ok)) this.#ready.resolve()
  }

  /** The topic has new partitions: an instance that takes all there are takes them, too. */
  #grow(partitionCount: number): void {
    const known = Math.max(...this.#shards.map((one) => one.held.partitionCount))
    if (partitionCount <= known || this.#shards.some((one) => one.state === 'starting')) return
    this.#held = undefined
    for (const one of this.#shards) one.topicGrew(partitionCount)
    const { useReplicaOnly, partitions, partitionsReplica } = this.#config
    if ((useReplicaOnly ? partitionsReplica : partitions).length === 0) this.#take(known, partitionCount)
    else
      loggerOf('store').warn('The topic has {partitionCount} partitions now; this instance keeps to its own', {
        partitionCount,
      })
  }

  /** Another thread for the partitions from `known` on. */
  #take(known: number, partitionCount: number): void {
    const config = configOfAdded(this.#config, known, partitionCount)
    const shard: Shard = new Shard(config, this.#logging, {
      state: (state) => this.#changed(shard, state),
      caughtUp: () => {},
      grown: () => {},
    })
    shard.topicGrew(partitionCount)
    this.#shards.push(shard)
  }

  #requireServing(attempted: string): void {
    if (this.#config.useProcessingOnly) throw processingOnly(`${attempted} store ${this.id}`)
    this.#requireRunning(attempted)
  }

  #requireRunning(attempted: string): void {
    if (this.#first.state === 'running' && this.#closing === undefined) return
    const state = this.#closing === undefined ? this.state : 'stopping'
    throw notServing(`${attempted} store ${this.id}`, state, this.#first)
  }
}
