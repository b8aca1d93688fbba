/** A reader outside the pool, for a program that reads in the same process. It never waits and takes no lock. */
import { LatchkeyError } from '../errors.ts'
import type { Lookup } from '../store-protocol/status.ts'

/** A reader of one store thread's map. */
export interface LentReader {
  get(key: Uint8Array): Lookup | undefined
  close(): void
}

/** A store thread that gives out readers. */
export interface ReaderLender {
  lend(): LentReader
}

export class KeptReader implements Disposable {
  readonly #lenders: (key: Uint8Array) => readonly ReaderLender[]
  readonly #answer: (key: Uint8Array, found: Lookup | undefined) => Lookup | undefined
  readonly #lent = new Map<ReaderLender, LentReader>()
  #isClosed = false

  /**
   * @param lenders returns the store threads to read for a key, in order; throws if the store does not serve
   * @param answer completes the result; throws if a miss is to be retried
   */
  constructor(
    lenders: (key: Uint8Array) => readonly ReaderLender[],
    answer: (key: Uint8Array, found: Lookup | undefined) => Lookup | undefined,
  ) {
    this.#lenders = lenders
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
    for (const lender of this.#lenders(key)) {
      const found = this.#reader(lender).get(key)
      if (found !== undefined) return this.#answer(key, found)
    }
    return this.#answer(key, undefined)
  }

  /** Gives the reader back. Has no effect if called again. */
  close(): void {
    this.#isClosed = true
    for (const reader of this.#lent.values()) reader.close()
    this.#lent.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #reader(lender: ReaderLender): LentReader {
    const known = this.#lent.get(lender)
    if (known !== undefined) return known
    const reader = lender.lend()
    this.#lent.set(lender, reader)
    return reader
  }
}
