/**
 * Reads of several keys that all belong to one epoch. The maps of all running store threads are entered together
 * (../map/reader/read-together.ts), with one reader of the pool of each.
 */
import type { LatchkeyError } from '../errors.ts'
import { noteGarbage, oversized, type Reader, readTogether, touchBlock } from '../map/index.ts'
import { splitHeaderPrefix } from '../store-protocol/header-prefix.ts'
import { hasHeaderPrefix } from '../store-protocol/kept-headers.ts'
import { isHidden } from '../store-protocol/partition-state.ts'
import {
  answerFull,
  type ChunkBounds,
  type EntryCount,
  type ManyLookups,
  type WalkChunk,
  type WalkPosition,
} from '../store-protocol/reads.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { type Assignment, partitionsOf } from './assignment.ts'
import { incompleteReason, missReasons, rebuildingError } from './miss-reason.ts'
import { lagKnownMsOf } from './partition-status.ts'
import { likelyPartition } from './partitioner.ts'
import { PrimaryLease } from './primary-lease.ts'
import { replicaLags } from './replica-lags.ts'
import type { StoreThreadHandle } from './store-thread-handle.ts'
import type { StoreThreads } from './store-threads.ts'
import { withReaders } from './with-readers.ts'

/** Approximate garbage of one key in an answer over HTTP, without its value. */
const keyGarbageBytes = 200

/** The threads to read. Misses are explained with the assignment of the moment at which the threads were selected. */
interface ReadThreads {
  readonly running: readonly StoreThreadHandle[]
  readonly assignment: Assignment
}

export class MultiReads {
  readonly #config: StoreConfig
  readonly #hasHeaderPrefix: boolean
  readonly #threads: StoreThreads
  readonly #lease: PrimaryLease | undefined
  readonly #lagKnownMs: number

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#hasHeaderPrefix = hasHeaderPrefix(config)
    this.#threads = threads
    this.#lease = PrimaryLease.of(config)
    this.#lagKnownMs = lagKnownMsOf(config)
  }

  /** As StoreReads.getMany. */
  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    return this.#read((threads, readers) => this.#getMany(threads, readers, keys, bytesMax))
  }

  /** As StoreReads.readChunk. */
  readChunk({ partition, hash }: WalkPosition, bounds: ChunkBounds): WalkChunk | Promise<WalkChunk> {
    return this.#read((threads, readers) => {
      // The state is read before and after: it may change between, and only a partition that is complete is shown.
      this.#requireComplete(partition, threads.assignment)
      const reader = readers[threads.running.indexOf(this.#threads.ownerOf(partition)!)]!
      const { epoch, chunk } = readTogether(readers, (exchanges) => {
        const read = reader.readChunk(partition, hash, bounds)
        const addLag = this.#lags(threads.assignment)
        for (const entry of read.entries) addLag(entry)
        return { epoch: exchanges, chunk: read }
      })
      const { entries, examined, bytes, next } = chunk
      noteGarbage(bytes + entries.length * keyGarbageBytes)
      this.#requireComplete(partition, threads.assignment)
      if (this.#hasHeaderPrefix && bounds.withValues) for (const entry of entries) splitHeaderPrefix(entry)
      return { epoch, entries, examined, next: next === undefined ? undefined : { partition, hash: next } }
    })
  }

  /** As StoreReads.count. @param wanted partitions to count; all that are held by default */
  count(wanted?: readonly number[]): EntryCount | Promise<EntryCount> {
    return this.#read((threads, readers) => {
      const partitions = wanted ?? partitionsOf(threads.assignment)
      const requireComplete = () => {
        for (const partition of partitions) this.#requireComplete(partition, threads.assignment)
      }
      requireComplete()
      const counted = readTogether(readers, (epoch) => {
        if (wanted === undefined) return { epoch, count: sum(readers.map((reader) => reader.count())) }
        const counts = wanted.map((partition) => sum(readers.map((reader) => reader.countOf(partition))))
        return { epoch, count: sum(counts), counts }
      })
      requireComplete()
      return counted
    })
  }

  /** Calls `read` with the running threads, the assignment of the same moment, and a reader of each thread. */
  #read<T>(read: (threads: ReadThreads, readers: readonly Reader[]) => T): T | Promise<T> {
    const { running, assignment } = this.#threads
    const pools = running.map(({ reads }) => reads)
    return withReaders(pools, (readers) => read({ running, assignment }, readers))
  }

  #requireComplete(partition: number, assignment: Assignment): void {
    const reason = incompleteReason(partition, assignment, this.#threads.stats, this.#config)
    if (reason !== undefined) throw reason
  }

  #getMany(
    { running, assignment }: ReadThreads,
    readers: readonly Reader[],
    keys: readonly Uint8Array[],
    bytesMax: number,
  ): ManyLookups {
    const owners = keys.map((key) => this.#ownerIndex(running, key))
    const search = new Search(readers, bytesMax)
    const many = readTogether(readers, (epoch) => {
      const found = search.findAll(keys, owners)
      return { epoch, results: this.#judged(found, keys, assignment, bytesMax) }
    })
    noteGarbage(search.bytes + keys.length * keyGarbageBytes)
    return many
  }

  /** To be called while the readers are inside (see #lags()). */
  #judged(
    found: readonly (Lookup | typeof oversized | undefined)[],
    keys: readonly Uint8Array[],
    assignment: Assignment,
    bytesMax: number,
  ): ManyLookups['results'] {
    const { stats } = this.#threads
    const missReason = missReasons(assignment, stats, this.#config)
    const addLag = this.#lags(assignment)
    let full: LatchkeyError | undefined
    return found.map((result, index) => {
      if (result === undefined) return missReason(keys[index]!)
      if (result === oversized) return (full ??= answerFull(this.#config.storeId, bytesMax))
      if (this.#config.elastic !== undefined && isHidden(stats, result.partition)) {
        return rebuildingError(this.#config, result.partition)
      }
      return addLag(this.#hasHeaderPrefix ? splitHeaderPrefix(result) : result)
    })
  }

  /**
   * Adds lags. To be called while the readers are inside: a publish that shows more does not end before they have left,
   * and lags and states count only what a publish that has ended shows.
   */
  #lags(assignment: Assignment): (found: Lookup) => Lookup {
    return replicaLags(assignment, this.#threads.stats, this.#lagKnownMs, this.#lease)
  }

  /** Returns the index of the thread to search first. */
  #ownerIndex(handles: readonly StoreThreadHandle[], key: Uint8Array): number {
    if (handles.length === 1) return 0
    const { partitionCount } = this.#threads.assignment
    const owner = this.#threads.ownerOf(likelyPartition(key, partitionCount, this.#config.partitioner))
    return owner === undefined ? 0 : Math.max(handles.indexOf(owner), 0)
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Looks keys up, one after another, until their values fill the answer. */
class Search {
  readonly #readers: readonly Reader[]
  #left: number
  #isFirst = true
  bytes = 0

  constructor(readers: readonly Reader[], bytesMax: number) {
    this.#readers = readers
    this.#left = bytesMax
  }

  /** @param owners index of the reader to search first, of each key */
  findAll(keys: readonly Uint8Array[], owners: readonly number[]): (Lookup | typeof oversized | undefined)[] {
    const found: (Lookup | typeof oversized | undefined)[] = []
    for (let from = 0; from < keys.length; from += touchBlock) {
      const to = Math.min(from + touchBlock, keys.length)
      for (const [owner, reader] of this.#readers.entries()) reader.touch(keys, from, to, owners, owner)
      for (let i = from; i < to; i++) found.push(this.find(keys[i]!, owners[i]!))
    }
    return found
  }

  /** @param owner index of the reader to search first. The key may still be in another map: its partition may change */
  find(key: Uint8Array, owner: number): Lookup | typeof oversized | undefined {
    const readers = this.#readers
    const found = this.#found(readers[owner]!, key)
    if (found !== undefined || readers.length === 1) return found
    for (const reader of readers) {
      if (reader === readers[owner]) continue
      const elsewhere = this.#found(reader, key)
      if (elsewhere !== undefined) return elsewhere
    }
    return undefined
  }

  /** The first value is returned at any size. After the first one that does not fit, no further one is returned. */
  #found(reader: Reader, key: Uint8Array): Lookup | typeof oversized | undefined {
    const found = reader.find(key, this.#isFirst ? Number.POSITIVE_INFINITY : this.#left)
    if (found === undefined) return undefined
    if (found === oversized) {
      this.#left = -1
      return oversized
    }
    this.#isFirst = false
    this.bytes += found.value.length
    this.#left -= found.value.length
    return found
  }
}
