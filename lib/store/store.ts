/**
 * The handle of a store in a thread that reads. Keys and values are bytes. HTTP uses it directly, and a program through
 * a typed handle. It hides the store threads.
 */
import { type Definition, definitionOfFormats } from '../definition/index.ts'
import { type Presentation, presentationOf } from '../definition/presentation.ts'
import type { LatchkeyError } from '../errors.ts'
import type { GroupReport } from '../store-protocol/group-report.ts'
import type { ChunkBounds, ManyLookups, StoreReads, WalkChunk, WalkPosition } from '../store-protocol/reads.ts'
import type { WantedRoles } from '../store-protocol/roles.ts'
import type { StatsView } from '../store-protocol/stats-view.ts'
import type { Lookup, RecoveryProgress, StoreState, StoreStatus } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { StoreLogging } from '../store-protocol/thread-messages.ts'
import { partitionsOf } from './assignment.ts'
import { StoreChanges } from './changes/store-changes.ts'
import { HeldCopies } from './held-copies.ts'
import { MultiReads } from './multi-reads.ts'
import { notServing, processingOnly } from './not-serving.ts'
import type { PinnedReader } from './pinned-reader.ts'
import { SingleReads } from './single-reads.ts'
import { SnapshotLock } from './snapshot-lock.ts'
import { ownThreads, type StoreAccess } from './store-port.ts'
import { statusOf } from './store-status.ts'
import type { StoreThreadHandle } from './store-thread-handle.ts'
import { StoreThreads } from './store-threads.ts'
import { Writes } from './writes.ts'

/**
 * Opens a store. It starts at once, in state `starting`, and reports its state by `state`, onState() and `failed`.
 * @param access to store threads that another thread has started; by default this thread starts them
 */
export function startStore(
  config: StoreConfig,
  logging: StoreLogging = { level: 'warning', structured: false },
  definition?: Definition,
  access: StoreAccess = ownThreads,
): Store {
  return new Store(config, logging, definition, access)
}

export class Store implements StoreReads {
  readonly id: string
  /** How keys and values are written in requests and responses. */
  readonly presentation: Presentation
  readonly #config: StoreConfig
  readonly #failure = Promise.withResolvers<LatchkeyError>()
  readonly #ready = Promise.withResolvers<void>()
  readonly #listeners = new Set<(state: StoreState) => void>()
  readonly #threads: StoreThreads
  readonly #singleReads: SingleReads
  readonly #multiReads: MultiReads
  readonly #writes: Writes
  readonly copies: HeldCopies
  readonly changes: StoreChanges
  readonly #snapshots: SnapshotLock | undefined
  #closing: Promise<void> | undefined

  constructor(config: StoreConfig, logging: StoreLogging, definition?: Definition, access = ownThreads) {
    this.#config = config
    this.id = config.storeId
    this.presentation = presentationOf(definition ?? definitionOfFormats(config.formats))
    this.changes = new StoreChanges({
      reads: this,
      threads: () => this.#threads,
      state: () => (this.#closing === undefined ? this.state : 'stopping'),
      requireServing: () => this.#requireServing('Reading'),
    })
    const events = {
      state: (state: StoreState) => this.#changed(state),
      caughtUp: () => this.#checkReady(),
      changed: (thread: StoreThreadHandle) => this.changes.received(thread),
    }
    this.#snapshots = SnapshotLock.of(config, access, () => this.#threads.snapshotsLocked())
    this.#threads = new StoreThreads({ ...config, ...this.#snapshots?.state }, logging, events, access)
    this.#singleReads = new SingleReads(config, this.#threads)
    this.#multiReads = new MultiReads(config, this.#threads)
    this.#writes = new Writes(config, this.#threads)
    this.copies = new HeldCopies(config, this.#threads)
    this.#ready.promise.catch(() => {})
  }

  /** Resolves when all conditions of readiness hold; rejects if the store fails or is closed before. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Resolves if the store fails permanently; never rejects. */
  get failed(): Promise<LatchkeyError> {
    return this.#failure.promise
  }

  /**
   * State of the initial partitions. Partitions added later recover while the store runs, and do not delay the others.
   */
  get state(): StoreState {
    return this.#threads.state
  }

  /** Counters in shared memory, written by the store threads. Has no partitions until the topics are known. */
  get stats(): StatsView {
    return this.#threads.stats
  }

  get readers(): { size: number; inUse: number; waiting: number } {
    return this.#threads.readers
  }

  /** Calls the listener with every later state. Returns a function that removes it. */
  onState(listener: (state: StoreState) => void): () => void {
    const own = (state: StoreState) => listener(state)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** Returns a key that this store holds, for a first lookup; undefined while none is known. */
  sampleKey(): Uint8Array | undefined {
    return this.#threads.all.find((handle) => handle.sampleKey !== undefined)?.sampleKey
  }

  /**
   * Returns the latest published value of a key: at once if a reader is free, else a promise.
   * @throws LatchkeyError recovering, readers_exhausted, stopping, store_failed, processing_only, and
   *   replica_recovering, rebuilding and partition_not_held for a miss that is to be retried; also as a rejection
   */
  get(key: Uint8Array, maxLag?: number): Lookup | undefined | Promise<Lookup | undefined> {
    this.#requireServing('Reading')
    return this.#singleReads.get(key, maxLag)
  }

  /** @throws LatchkeyError if the store does not serve: recovering, stopping, store_failed, processing_only */
  get heldPartitions(): readonly number[] {
    this.#requireServing('Reading')
    return partitionsOf(this.#threads.assignment)
  }

  /** @throws LatchkeyError as heldPartitions */
  get walkMark(): string {
    this.#requireServing('Reading')
    return this.#threads.all[0]!.reads.mark
  }

  /** As StoreReads.getMany. Throws as get, except for misses. */
  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    this.#requireServing('Reading')
    return this.#multiReads.getMany(keys, bytesMax)
  }

  readChunk(position: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk> {
    this.#requireServing('Reading')
    return this.#multiReads.readChunk(position, bounds)
  }

  count(partitions?: readonly number[]): ReturnType<MultiReads['count']> {
    this.#requireServing('Reading')
    return this.#multiReads.count(partitions)
  }

  reader(): PinnedReader {
    return this.#singleReads.pin(() => this.#requireServing('Reading'))
  }

  /**
   * Writes a key's value to the changelog, then to memory; a flush makes it visible. Writes to one partition keep the
   * order of the calls, after the source records that were read before.
   *
   * @param value null to delete the key
   * @param partition the key's partition by default
   * @returns resolves when the changelog has acknowledged the write; rejects with LatchkeyError if it will not, or if
   *   that is no longer known: recovering, stopping, store_failed, processing_only, partition_not_held, fenced,
   *   entry_too_large, writes_exhausted
   */
  async write(key: Uint8Array, value: Uint8Array | null, partition = this.partitionOf(key)): Promise<void> {
    this.#requireServing('Writing to')
    await this.#writes.write(key, value, partition)
  }

  /** Returns the partition of a key by the configured partitioner; by Kafka's default one if that is unknown. */
  partitionOf(key: Uint8Array): number {
    return this.#writes.partitionOf(key)
  }

  /**
   * Makes visible what was consumed before; resolves with the number of operations made visible. Rejects unless the
   * store runs.
   */
  async flush(): Promise<number> {
    this.#requireRunning('Flushing')
    const flushed = await Promise.all(this.#threads.running.map((handle) => handle.flush()))
    return flushed.reduce((sum, operations) => sum + operations, 0)
  }

  /** Changes the roles of partitions (see WantedRoles). Needs FENCING. status() shows when they have changed. */
  want(wanted: WantedRoles): void {
    this.#threads.want(wanted)
  }

  /** Takes what the group says, which assigns the partitions. */
  setGroup(report: GroupReport): void {
    this.#threads.setGroup(report)
    this.#checkReady()
  }

  /** Returns the partitions at which progress() ended early: they have halted, and no other partition is behind. */
  haltedRemaining(): number[] {
    return this.#threads.haltedRemaining
  }

  /** Progress of recovery, a rebuild or catching up with the source; null if no such phase is in progress. */
  progress(): RecoveryProgress | null {
    return this.#threads.progress
  }

  status(): StoreStatus {
    return statusOf(this.#config, this.presentation.formats, this.#threads)
  }

  /** Stops fetching, finishes requests in flight and commits, within a bound. Afterwards nothing can be read. */
  close(): Promise<void> {
    this.#closing ??= this.#threads.close().finally(() => this.#snapshots?.release())
    this.changes.stopped()
    this.#ready.reject(notServing(`Waiting for store ${this.id}`, 'stopping', this.#threads))
    return this.#closing
  }

  #changed(state: StoreState): void {
    const failure = this.#threads.all.find((handle) => handle.failure !== undefined)?.failure
    if (failure !== undefined) {
      this.#failure.resolve(failure)
      this.#ready.reject(failure)
      this.changes.stopped()
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
    const state = this.#closing === undefined ? this.state : 'stopping'
    if (state !== 'running') throw notServing(`${attempted} store ${this.id}`, state, this.#threads)
  }
}
