/** A reader outside the pool, for a program that reads in the same process. It never waits and takes no lock. */
import { LatchkeyError } from '../errors.ts'
import type { Lookup } from '../store-protocol/status.ts'

/** A reader of one store thread's map. */
export interface PinnedMapReader {
  get(key: Uint8Array): Lookup | undefined
  close(): void
}

/** A store thread whose map has readers to pin. */
export interface ReaderSource {
  pin(): PinnedMapReader
}

type Answering = (key: Uint8Array, find: (key: Uint8Array) => Lookup | undefined) => Lookup | undefined

export class PinnedReader implements Disposable {
  readonly #sources: (key: Uint8Array) => readonly ReaderSource[]
  readonly #answer: Answering
  readonly #find = (key: Uint8Array) => this.#found(key)
  readonly #pinned = new Map<ReaderSource, PinnedMapReader>()
  #isClosed = false

  /**
   * @param sources returns the store threads to read for a key, in order; throws if the store does not serve
   * @param answer finds the key, and completes the result; throws if a miss is to be retried
   */
  constructor(sources: (key: Uint8Array) => readonly ReaderSource[], answer: Answering) {
    this.#sources = sources
    this.#answer = answer
  }

  /**
   * Returns the latest published value of a key.
   *
   * @throws LatchkeyError as Store.get does; readers_exhausted with too many readers outside the pool; internal after
   *   close()
   */
  get(key: Uint8Array): Lookup | undefined {
    if (this.#isClosed) throw new LatchkeyError('internal', 'Reading a key: the reader has been closed')
    return this.#answer(key, this.#find)
  }

  /** Unpins the readers. A second call has no effect. */
  close(): void {
    this.#isClosed = true
    for (const reader of this.#pinned.values()) reader.close()
    this.#pinned.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #found(key: Uint8Array): Lookup | undefined {
    for (const source of this.#sources(key)) {
      const found = this.#reader(source).get(key)
      if (found !== undefined) return found
    }
    return undefined
  }

  #reader(source: ReaderSource): PinnedMapReader {
    const known = this.#pinned.get(source)
    if (known !== undefined) return known
    const reader = source.pin()
    this.#pinned.set(source, reader)
    return reader
  }
}
