/**
 * The readers of one thread: a fixed number of epochs behind an asynchronous semaphore. Who finds none free waits, first come
 * first served, bounded in number and time. Each acquire() hands out a Reader of its own, so that releasing one twice cannot
 * take it from whoever has the epoch next. Some epochs may be set apart, for readers that are kept.
 */
import { LatchkeyError } from '../../errors.ts'
import { readerWaitMaxMs, readerWaitersMax } from '../memory/limits.ts'
import type { ChiralMapShared, MapMessage } from '../memory/messages.ts'
import { Epoch, Reader } from './reader.ts'
import { ReaderView } from './reader-view.ts'

interface Waiter {
  readonly resolve: (reader: Reader) => void
  readonly timer: ReturnType<typeof setTimeout>
}

export interface ReadersOptions {
  /** Readers that are not in the pool, for keep(); none by default. */
  readonly kept?: number
  readonly waitersMax?: number
  readonly waitMaxMs?: number
}

export class ChiralMapReaders {
  readonly #view: ReaderView
  readonly #free: Epoch[] = []
  readonly #freeKept: Epoch[] = []
  readonly #keptMax: number
  /** In order of arrival. */
  readonly #waiters = new Set<Waiter>()
  readonly #waitersMax: number
  readonly #waitMaxMs: number
  readonly size: number

  /**
   * For reader thread `readerThread`, from 0, of a map. Its epochs begin anew: two objects for one thread must not be in use at
   * the same time. Confirm `version` to the writer once made.
   */
  constructor(shared: ChiralMapShared, readerThread: number, options: ReadersOptions = {}) {
    if (!(readerThread >= 0 && readerThread < shared.readerThreads)) {
      throw new LatchkeyError('internal', `make readers: thread ${readerThread} of ${shared.readerThreads}`)
    }
    this.#view = new ReaderView(shared)
    this.#waitersMax = options.waitersMax ?? readerWaitersMax
    this.#waitMaxMs = options.waitMaxMs ?? readerWaitMaxMs
    this.#keptMax = options.kept ?? 0
    this.size = shared.readersMax - this.#keptMax
    for (let i = 0; i < shared.readersMax; i++) {
      const epoch = new Epoch(readerThread * shared.readersMax + i)
      // A thread that died inside would hold up the writer for good.
      Atomics.store(this.#view.control, epoch.word, 0)
      if (i < this.size) this.#free.push(epoch)
      else this.#freeKept.push(epoch)
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

  /** Takes a message of the writer; returns the version to confirm to it. Older messages are ignored. */
  receive(message: MapMessage): number {
    return this.#view.receive(message)
  }

  /** The topic has so many partitions now: keys are looked for first where they belong by that number. */
  topicGrew(partitionCount: number): void {
    this.#view.partitionCount = partitionCount
  }

  /** A free reader at once, else a promise of the next one. Rejects with readers_exhausted: too many wait, or too long. */
  acquire(): Reader | Promise<Reader> {
    const epoch = this.#free.pop()
    if (epoch !== undefined) return new Reader(this.#view, epoch)
    if (this.#waiters.size >= this.#waitersMax) {
      return Promise.reject(this.#exhausted(`${this.#waiters.size} requests wait already`))
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

  /** Gives a reader back, to who has waited longest. Harmless when it has been given back before. */
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

  /** A reader beside the pool, for as long as its holder likes. Throws readers_exhausted. */
  keep(): Reader {
    const epoch = this.#freeKept.pop()
    if (epoch !== undefined) return new Reader(this.#view, epoch)
    const found = `all ${this.#keptMax} that can be kept are; close those that are not needed`
    throw new LatchkeyError('readers_exhausted', `keep a reader: ${found}`)
  }

  /** Gives back what keep() lent. Harmless when it has been given back before. */
  giveBack(reader: Reader): void {
    const epoch = reader.detach()
    if (epoch !== undefined) this.#freeKept.push(epoch)
  }

  #exhausted(found: string): LatchkeyError {
    return new LatchkeyError(
      'readers_exhausted',
      `acquire a reader: all ${this.size} are taken and ${found}; raise READER_POOL_SIZE`,
    )
  }
}
