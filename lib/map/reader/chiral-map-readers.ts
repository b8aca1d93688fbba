/**
 * The readers of one thread: a fixed number of epochs behind an asynchronous semaphore. When no epoch is free, callers
 * wait in order of arrival; their number and their waiting time are bounded. Each acquire() returns a new Reader
 * object, because a second release of the same object must not take the epoch from its next holder. Some epochs may be
 * reserved for readers that callers keep.
 */
import { LatchkeyError } from '../../errors.ts'
import { readerWaitersMax, readerWaitMaxMs } from '../memory/limits.ts'
import type { ChiralMapShared, MapMessage } from '../memory/map-messages.ts'
import { ReaderView } from './reader-view.ts'
import { Epoch, Reader } from './reader.ts'

interface Waiter {
  readonly resolve: (reader: Reader) => void
  readonly timer: ReturnType<typeof setTimeout>
}

export interface ReadersOptions {
  /** Readers reserved for pin(), not part of the pool. Default: 0. */
  readonly pinned?: number
  readonly waitersMax?: number
  readonly waitMaxMs?: number
}

export class ChiralMapReaders {
  readonly #view: ReaderView
  readonly #free: Epoch[] = []
  readonly #freePinned: Epoch[] = []
  readonly #pinnedMax: number
  /** In order of arrival. */
  readonly #waiters = new Set<Waiter>()
  readonly #waitersMax: number
  readonly #waitMaxMs: number
  readonly size: number

  /**
   * Makes the readers of reader thread `readerThread` (from 0) of a map. The constructor resets the thread's epochs, so
   * two objects for one thread must not be in use at the same time. The caller then confirms `version` to the writer.
   */
  constructor(shared: ChiralMapShared, readerThread: number, options: ReadersOptions = {}) {
    if (!(readerThread >= 0 && readerThread < shared.readerThreads)) {
      throw new LatchkeyError('internal', `make readers: thread ${readerThread} of ${shared.readerThreads}`)
    }
    this.#view = new ReaderView(shared)
    this.#waitersMax = options.waitersMax ?? readerWaitersMax
    this.#waitMaxMs = options.waitMaxMs ?? readerWaitMaxMs
    this.#pinnedMax = options.pinned ?? 0
    this.size = shared.readersMax - this.#pinnedMax
    for (let i = 0; i < shared.readersMax; i++) {
      const epoch = new Epoch(readerThread * shared.readersMax + i)
      // If an earlier thread died during a lookup, its odd epoch would block the writer forever.
      Atomics.store(this.#view.control, epoch.word, 0)
      if (i < this.size) this.#free.push(epoch)
      else this.#freePinned.push(epoch)
    }
  }

  get version(): number {
    return this.#view.version
  }

  get inUse(): number {
    return this.size - this.#free.length
  }

  get waiting(): number {
    return this.#waiters.size
  }

  /** Applies a message of the writer and returns the version to confirm. Ignores older messages. */
  receive(message: MapMessage): number {
    return this.#view.receive(message)
  }

  /** Sets the topic's new partition count. A lookup uses it to find the partition to try first. */
  setPartitionCount(partitionCount: number): void {
    this.#view.setPartitionCount(partitionCount)
  }

  /**
   * Returns a free reader, or a promise of the next free one. Rejects with readers_exhausted when too many callers wait
   * or the wait takes too long.
   */
  acquire(): Reader | Promise<Reader> {
    const epoch = this.#free.pop()
    if (epoch !== undefined) return new Reader(this.#view, epoch)
    if (this.#waiters.size >= this.#waitersMax) {
      return Promise.reject(this.#exhausted(`${this.#waiters.size} requests already wait`))
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        reject(this.#exhausted(`none was free within ${this.#waitMaxMs} ms`))
      }, this.#waitMaxMs)
      const waiter = { resolve, timer }
      this.#waiters.add(waiter)
    })
  }

  /** Returns a reader to the pool, or to the caller that has waited longest. A second release has no effect. */
  release(reader: Reader): void {
    const epoch = reader.detach()
    if (epoch === undefined) return
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter)
      clearTimeout(waiter.timer)
      waiter.resolve(new Reader(this.#view, epoch))
      return
    }
    this.#free.push(epoch)
  }

  /** Returns a reader from outside the pool, without a time limit. Throws readers_exhausted. */
  pin(): Reader {
    const epoch = this.#freePinned.pop()
    if (epoch !== undefined) return new Reader(this.#view, epoch)
    const found = `all ${this.#pinnedMax} reserved readers are in use. Close those that are no longer needed`
    throw new LatchkeyError('readers_exhausted', `pin a reader: ${found}`)
  }

  /** Returns a reader that pin() gave out. A second call has no effect. */
  unpin(reader: Reader): void {
    const epoch = reader.detach()
    if (epoch !== undefined) this.#freePinned.push(epoch)
  }

  #exhausted(found: string): LatchkeyError {
    return new LatchkeyError(
      'readers_exhausted',
      `acquire a reader: all ${this.size} are in use and ${found}. Raise READER_POOL_SIZE`,
    )
  }
}
