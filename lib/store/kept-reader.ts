/** A reader outside the pool, for a program that reads in the same process: it never waits, and takes no lock. */
import { LatchkeyError } from '../errors.ts'
import { type Lookup } from '../store-protocol/status.ts'

/** What one store thread lends. */
export interface LentReader {
  get(key: Uint8Array): Lookup | undefined
  close(): void
}

/** A store thread that readers can be had of. */
export interface ReaderLender {
  lend(): LentReader
}

export class KeptReader implements Disposable {
  readonly #lenders: (key: Uint8Array) => readonly ReaderLender[]
  readonly #answer: (key: Uint8Array, found: Lookup | undefined) => Lookup | undefined
  readonly #lent = new Map<ReaderLender, LentReader>()
  #isClosed = false

  /**
   * @param lenders those to be asked for a key, in order; throws where the store does not serve
   * @param answer completes what was found, or throws where a miss is to be asked again
   */
  constructor(
    lenders: (key: Uint8Array) => readonly ReaderLender[],
    answer: (key: Uint8Array, found: Lookup | undefined) => Lookup | undefined,
  ) {
    this.#lenders = lenders
    this.#answer = answer
  }

  /** The latest published value of a key. Throws what Store.get does, readers_exhausted where too many are kept, internal once closed. */
  get(key: Uint8Array): Lookup | undefined {
    if (this.#isClosed) throw new LatchkeyError('internal', 'Reading a key: the reader has been closed')
    for (const lender of this.#lenders(key)) {
      const found = this.#reader(lender).get(key)
      if (found !== undefined) return this.#answer(key, found)
    }
    return this.#answer(key, undefined)
  }

  /** Gives the reader back. Harmless when it has been given back before. */
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
