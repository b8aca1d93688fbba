/**
 * The handle of a store in the main thread: what HTTP and embedders hold. It stands before one store thread, and before another one for
 * partitions that the topic gets while it runs.
 */
import { type Definition, definitionOfFormats } from '../definition/index.ts'
import { type Presentation, presentationOf } from '../definition/presentation.ts'
import { LatchkeyError } from '../errors.ts'
import { loggerOf } from '../log.ts'
import { conditionsOf } from './handle/conditions.ts'
import { explainMiss, type Held } from './handle/misses.ts'
import { partitionFor } from './handle/partitioner.ts'
import { partitionStatus, replicaLag } from './handle/partition-status.ts'
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
  readonly #listeners: ((state: StoreState) => void)[] = []
  readonly #first: Shard
  /** The first one too. */
  readonly #shards: Shard[]
  #held: Held | undefined

  constructor(config: StoreConfig, logging: StoreLogging, definition?: Definition) {
    this.id = config.storeId
    this.presentation = presentationOf(definition ?? definitionOfFormats(config.formats))
    this.#config = config
    this.#logging = logging
    this.#first = new Shard(config, logging, {
      state: (state) => this.#changed(this.#first, state),
      grown: (partitionCount) => this.#grow(partitionCount),
    })
    this.#shards = [this.#first]
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

  /** Called with every state from now on. */
  onState(listener: (state: StoreState) => void): void {
    this.#listeners.push(listener)
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
    if (this.#config.useProcessingOnly) throw processingOnly(this.id)
    if (this.#first.state !== 'running') throw this.#notServing()
    if (this.#shards.length > 1) return this.#findInAll(key)
    const found = this.#first.find(key)
    return found instanceof Promise ? found.then((lookup) => this.#answer(key, lookup)) : this.#answer(key, found)
  }

  /** Makes visible what was consumed before; resolves with the number of operations made visible. Rejects while not running. */
  async flush(): Promise<number> {
    if (this.#first.state !== 'running') throw this.#notServing()
    const running = this.#shards.filter((shard) => shard.state === 'running')
    const flushed = await Promise.all(running.map((shard) => shard.flush()))
    return flushed.reduce((sum, operations) => sum + operations, 0)
  }

  status(): StoreStatus {
    const { state, stats } = this
    const { primaries, replicas } = this.#holding()
    const fenced = new Map(this.#shards.flatMap((shard) => [...shard.fenced]))
    const failure = this.#shards.find((shard) => shard.failure !== undefined)?.failure?.message
    const troubles = this.#shards.flatMap(({ foreign, trouble }) => [
      ...foreign.values(),
      ...(trouble ? [trouble] : []),
    ])
    const reason = failure ?? [...fenced.values(), ...troubles].join(' · ')
    const caughtUp = this.#shards.every((shard) => shard.caughtUp)
    const { readyWhen } = this.#config
    return {
      id: this.id,
      formats: this.presentation.formats,
      state,
      ...(reason === '' ? {} : { reason }),
      partitions: { primary: [...primaries], replicas: [...replicas] },
      caughtUp,
      recovery: this.#first.recovery,
      details: stats.partitions.map((partition) => partitionStatus(stats, partition)),
      conditions: conditionsOf({ state, readyWhen, caughtUp: this.#first.caughtUp, fenced, failure }),
    }
  }

  /** Stops fetching, finishes what is in flight, commits; bounded. Afterwards nothing can be read. */
  async close(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.close()))
  }

  /** A key's partition changes with their number: what was written last is where it belongs now. */
  async #findInAll(key: Uint8Array): Promise<Lookup | undefined> {
    const { partitionCount } = this.#holding()
    const home = partitionFor(key, partitionCount, 'murmur2')!
    const isHome = ({ held }: Shard) => held.primaries.includes(home) || held.replicas.includes(home)
    for (const shard of this.#shards.toSorted((a, b) => Number(isHome(b)) - Number(isHome(a)))) {
      const found = shard.state === 'running' ? await shard.find(key) : undefined
      if (found !== undefined) return this.#answer(key, found)
    }
    return this.#answer(key, undefined)
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
    if (shard.failure !== undefined) this.#failure.resolve(shard.failure)
    if (shard === this.#first || state === 'failed') for (const listener of this.#listeners) listener(state)
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
    const added = Array.from({ length: partitionCount - known }, (_, index) => known + index)
    const message =
      'The topic has {partitionCount} partitions now: taking {added}; keys whose partition changes with their number are looked for in the new one first'
    loggerOf('store').warn(message, { partitionCount, added: added.join(', ') })
    const role = this.#config.useReplicaOnly
      ? { partitionsReplica: added }
      : { partitions: added, partitionsReplica: [] }
    const config: StoreConfig = { ...this.#config, ...role, initialCapacity: 0, extendsChangelog: true }
    const shard: Shard = new Shard(config, this.#logging, {
      state: (state) => this.#changed(shard, state),
      grown: () => {},
    })
    shard.topicGrew(partitionCount)
    this.#shards.push(shard)
  }

  #notServing(): LatchkeyError {
    const attempted = `Reading store ${this.id}`
    switch (this.state) {
      case 'failed':
        return new LatchkeyError('store_failed', `${attempted}: the store has failed`)
      case 'stopping':
        return new LatchkeyError('stopping', `${attempted}: it is stopping`)
      default: {
        const { state, recovery } = this.#first
        const details = { state, ...(recovery === null ? {} : { progress: recovery }) }
        return new LatchkeyError('recovering', `${attempted}: it is still ${state}`, { details })
      }
    }
  }
}

function processingOnly(id: string): LatchkeyError {
  const message = `Reading store ${id}: this instance holds nothing in memory (USE_PROCESSING_ONLY); ask one that does`
  return new LatchkeyError('processing_only', message)
}
