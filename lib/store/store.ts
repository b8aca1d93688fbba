/**
 * The handle of a store in the main thread: lookups read the shared memory here, everything else is asked of the store thread. It is what
 * HTTP and embedders hold.
 */
import { LatchkeyError } from '../errors.ts'
import { type LogLevel } from '../log.ts'
import { ChiralMapReaders, type Reader } from '../map/index.ts'
import { conditionsOf } from './conditions.ts'
import { type FromThread, type PlainError, type ToThread } from './messages.ts'
import { explainMiss, type Held } from './misses.ts'
import { ProgressMeter } from './progress-meter.ts'
import { Stats } from './stats.ts'
import { partitionStatus, replicaLag } from './partition-status.ts'
import { type Lookup, type StoreState, type StoreStatus } from './status.ts'
import { type StoreConfig } from './store-config.ts'

export interface StoreLogging {
  level: LogLevel
  structured: boolean
}

/** Opens a store; it starts at once, in state `starting`, and tells by `state`, onState() and `failed` how it fares. */
export function openStore(config: StoreConfig, logging: StoreLogging = { level: 'warning', structured: false }): Store {
  return new Store(config, logging)
}

export class Store {
  readonly id: string
  readonly #config: StoreConfig
  readonly #thread: Worker
  readonly #failure = Promise.withResolvers<LatchkeyError>()
  readonly #closed = Promise.withResolvers<void>()
  readonly #flushes = new Map<number, PromiseWithResolvers<number>>()
  readonly #listeners: ((state: StoreState) => void)[] = []
  readonly #fenced = new Map<number, string>()
  readonly #progress = new ProgressMeter()
  #state: StoreState = 'starting'
  #caughtUp = false
  #error: LatchkeyError | undefined
  #trouble: string | null = null
  #stats = new Stats([])
  #readers: ChiralMapReaders | undefined
  #sample: Uint8Array | undefined
  #held: Held = { primaries: [], replicas: [], partitionCount: 0 }
  #lastFlush = 0

  constructor(config: StoreConfig, logging: StoreLogging) {
    this.id = config.storeId
    this.#config = config
    this.#thread = new Worker(new URL('./thread.ts', import.meta.url))
    this.#thread.onmessage = ({ data }: MessageEvent<FromThread>) => this.#received(data)
    this.#thread.onerror = ({ message }) =>
      this.#fail({ code: 'internal', message: `The store thread ended: ${message}` })
    this.#thread.addEventListener('close', () => this.#threadEnded())
    this.#send({ type: 'start', config, logging })
  }

  /** Resolves if the store fails for good; never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.#failure.promise
  }

  get state(): StoreState {
    return this.#state
  }

  /** In shared memory, written by the store thread. Without partitions until the topics are known. */
  get stats(): Stats {
    return this.#stats
  }

  get readers(): { size: number; inUse: number; waiting: number } {
    return this.#readers ?? { size: this.#config.readerPoolSize, inUse: 0, waiting: 0 }
  }

  /** Called with every state from now on. */
  onState(listener: (state: StoreState) => void): void {
    this.#listeners.push(listener)
  }

  /** A key that this store holds, for a first lookup; undefined while none is known. */
  sampleKey(): Uint8Array | undefined {
    return this.#sample
  }

  /**
   * The latest published value of a key: at once where a reader is free, else once one is.
   * Throws or rejects with LatchkeyError: recovering, readers_exhausted, stopping, store_failed, processing_only, and for a miss that
   * is to be asked again, replica_recovering and partition_not_held.
   */
  get(key: Uint8Array): Lookup | undefined | Promise<Lookup | undefined> {
    if (this.#state !== 'running') throw this.#notServing()
    if (this.#config.useProcessingOnly) throw processingOnly(this.id)
    const readers = this.#readers!
    const reader = readers.acquire()
    if (reader instanceof Promise) return reader.then((freed) => this.#answer(key, read(readers, freed, key)))
    return this.#answer(key, read(readers, reader, key))
  }

  /** Makes visible what was consumed before; resolves with the number of operations made visible. Rejects while not running. */
  async flush(): Promise<number> {
    if (this.#state !== 'running') throw this.#notServing()
    const id = ++this.#lastFlush
    const flush = Promise.withResolvers<number>()
    this.#flushes.set(id, flush)
    this.#send({ type: 'flush', id })
    return flush.promise
  }

  status(): StoreStatus {
    const { partitions } = this.#stats
    const reason =
      this.#error?.message ?? [...this.#fenced.values(), ...(this.#trouble ? [this.#trouble] : [])].join(' · ')
    return {
      id: this.id,
      state: this.#state,
      ...(reason === '' ? {} : { reason }),
      partitions: { primary: [...this.#held.primaries], replicas: [...this.#held.replicas] },
      caughtUp: this.#caughtUp,
      recovery: this.#state === 'recovering' ? this.#progress.read(this.#stats) : null,
      details: partitions.map((partition) => partitionStatus(this.#stats, partition)),
      conditions: conditionsOf({
        state: this.#state,
        readyWhen: this.#config.readyWhen,
        caughtUp: this.#caughtUp,
        fenced: this.#fenced,
        failure: this.#error?.message,
      }),
    }
  }

  /** Stops fetching, finishes what is in flight, commits; bounded. Afterwards nothing can be read. */
  async close(): Promise<void> {
    if (this.#state !== 'failed') this.#send({ type: 'close' })
    await this.#closed.promise
    this.#thread.terminate()
  }

  #answer(key: Uint8Array, found: Lookup | undefined): Lookup | undefined {
    if (found === undefined) {
      const miss = explainMiss(key, this.#held, this.#stats, this.#config)
      if (miss !== undefined) throw miss
    } else if (this.#held.replicas.length > 0 && this.#stats.gauge(found.partition, 'role') === 1) {
      found.replicaLag = replicaLag(this.#stats, found.partition)
    }
    return found
  }

  #send(message: ToThread): void {
    this.#thread.postMessage(message)
  }

  #received(message: FromThread): void {
    switch (message.type) {
      case 'opened':
        this.#held = message
        this.#stats = new Stats(
          [...message.primaries, ...message.replicas].toSorted((a, b) => a - b),
          message.stats,
        )
        this.#readers = new ChiralMapReaders(message.map, 0)
        this.#send({ type: 'confirmed', version: message.map.version })
        break
      case 'map':
        this.#readers?.receive(message.message)
        this.#send({ type: 'confirmed', version: message.message.version })
        break
      case 'state':
        this.#setState(message.state)
        break
      case 'caught-up':
        this.#caughtUp = true
        break
      case 'trouble':
        this.#trouble = message.trouble
        break
      case 'fenced':
        this.#fenced.set(message.partition, message.reason)
        break
      case 'sample':
        this.#sample = message.key
        break
      case 'flushed':
        this.#flushes.get(message.id)?.resolve(message.operations)
        this.#flushes.delete(message.id)
        break
      case 'flush-failed':
        this.#flushes.get(message.id)?.reject(new LatchkeyError(message.error.code, message.error.message))
        this.#flushes.delete(message.id)
        break
      case 'failed':
        this.#fail(message.error)
        break
      case 'closed':
        this.#closed.resolve()
        break
    }
  }

  #setState(state: StoreState): void {
    if (this.#state === state || this.#state === 'failed') return
    this.#state = state
    if (state === 'recovering') this.#progress.start()
    for (const listener of this.#listeners) listener(state)
  }

  #threadEnded(): void {
    if (this.#state !== 'stopping') this.#fail({ code: 'internal', message: 'The store thread ended without a word' })
    this.#closed.resolve()
  }

  #fail({ code, message }: PlainError): void {
    if (this.#error !== undefined) return
    this.#error = new LatchkeyError(code, message)
    this.#setState('failed')
    for (const flush of this.#flushes.values()) flush.reject(this.#error)
    this.#flushes.clear()
    this.#failure.resolve(this.#error)
    this.#closed.resolve()
  }

  #notServing(): LatchkeyError {
    const attempted = `Reading store ${this.id}`
    switch (this.#state) {
      case 'failed':
        return new LatchkeyError('store_failed', `${attempted}: the store has failed`)
      case 'stopping':
        return new LatchkeyError('stopping', `${attempted}: it is stopping`)
      default: {
        const progress = this.#state === 'recovering' ? this.#progress.read(this.#stats) : null
        const details = { state: this.#state, ...(progress === null ? {} : { progress }) }
        return new LatchkeyError('recovering', `${attempted}: it is still ${this.#state}`, { details })
      }
    }
  }
}

function read(readers: ChiralMapReaders, reader: Reader, key: Uint8Array): Lookup | undefined {
  try {
    return reader.get(key)
  } finally {
    readers.release(reader)
  }
}

function processingOnly(id: string): LatchkeyError {
  const message = `Reading store ${id}: this instance holds nothing in memory (USE_PROCESSING_ONLY); ask one that does`
  return new LatchkeyError('processing_only', message)
}
