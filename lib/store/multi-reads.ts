/**
 * Reads of several keys that all belong to one epoch. The maps of all running store threads are entered together
 * (../map/reader/read-together.ts), with one reader of the pool of each.
 */
import { LatchkeyError } from '../errors.ts'
import { noteGarbage, oversized, type Reader, readTogether } from '../map/index.ts'
import { splitHeaderPrefix } from '../store-protocol/header-prefix.ts'
import { hasHeaderPrefix } from '../store-protocol/kept-headers.ts'
import type { ManyLookups } from '../store-protocol/reads.ts'
import type { Lookup } from '../store-protocol/status.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import { missReasons } from './miss-reason.ts'
import { partitionFor } from './partitioner.ts'
import { replicaLags } from './replica-lags.ts'
import type { StoreThreadHandle } from './store-thread-handle.ts'
import type { StoreThreads } from './store-threads.ts'
import { withReaders } from './with-readers.ts'

/** Approximate garbage of one key in an answer over HTTP, without its value. */
const keyGarbageBytes = 200

export class MultiReads {
  readonly #config: StoreConfig
  readonly #hasHeaderPrefix: boolean
  readonly #threads: StoreThreads

  constructor(config: StoreConfig, threads: StoreThreads) {
    this.#config = config
    this.#hasHeaderPrefix = hasHeaderPrefix(config)
    this.#threads = threads
  }

  /** As StoreReads.getMany. */
  getMany(keys: readonly Uint8Array[], bytesMax: number): ManyLookups | Promise<ManyLookups> {
    // The assignment must be that of the same moment as the threads to search: misses are explained with it.
    const { running, assignment } = this.#threads
    const pools = running.map(({ reads }) => reads)
    return withReaders(pools, (readers) => this.#getMany({ running, assignment }, readers, keys, bytesMax))
  }

  #getMany(
    { running, assignment }: Pick<StoreThreads, 'running' | 'assignment'>,
    readers: readonly Reader[],
    keys: readonly Uint8Array[],
    bytesMax: number,
  ): ManyLookups {
    const { stats } = this.#threads
    const owners = keys.map((key) => this.#ownerIndex(running, key))
    const search = new Search(readers, bytesMax)
    const { epoch, found } = readTogether(readers, (exchanges) => ({
      epoch: exchanges,
      found: keys.map((key, index) => search.find(key, owners[index]!)),
    }))
    noteGarbage(search.bytes + keys.length * keyGarbageBytes)
    const missReason = missReasons(assignment, stats, this.#config)
    const addLag = replicaLags(assignment, stats)
    let full: LatchkeyError | undefined
    const results = found.map((result, index) => {
      if (result === undefined) return missReason(keys[index]!)
      if (result === oversized) return (full ??= this.#answerFull(bytesMax))
      return addLag(this.#hasHeaderPrefix ? splitHeaderPrefix(result) : result)
    })
    return { epoch, results }
  }

  /** Returns the index of the thread to search first. */
  #ownerIndex(handles: readonly StoreThreadHandle[], key: Uint8Array): number {
    if (handles.length === 1) return 0
    const { partitionCount } = this.#threads.assignment
    const owner = this.#threads.ownerOf(partitionFor(key, partitionCount, 'murmur2')!)
    return owner === undefined ? 0 : Math.max(handles.indexOf(owner), 0)
  }

  #answerFull(bytesMax: number): LatchkeyError {
    const found = `the values of the keys before fill the answer of at most ${bytesMax} bytes. Request this key again`
    return new LatchkeyError('answer_full', `Reading store ${this.#config.storeId}: ${found}`)
  }
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
