/**
 * A walk over the entries held here: partition by partition, chunk by chunk, each of one epoch. While a schema is missing
 * a walk holds its position only, and reads the chunk again.
 */
import type { WalkPosition } from '../store-protocol/reads.ts'
import { written } from './json-buffer.ts'
import type { ListForm } from './list-answer.ts'
import type { StoreView } from './store-view.ts'
import { writeWalkEntry } from './walk-entry.ts'
import type { WalkTurns } from './walk-turns.ts'

/** Time for one chunk, rendering included. */
const chunkMs = 1
const chunkEntriesMin = 16
const chunkEntriesMax = 8_192
/** Time to wait for schemas, over a whole walk. */
const schemaWaitMs = 10_000

export interface WalkOptions {
  form: ListForm
  /** Only this partition. */
  partition: number | undefined
  /** Bytes at the beginning of the text form of keys. */
  prefix: Uint8Array | undefined
  keysOnly: boolean
  /** Absent: from the start. */
  from: WalkPosition | undefined
  /** Aborts when the client has left. */
  signal: AbortSignal
}

export interface WalkPiece {
  /** JSON of the entries: separated by commas, or each with a line break. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly count: number
  /** Entries that were looked at. */
  readonly examined: number
  readonly epoch: number
}

const nothing: WalkPiece = { bytes: new Uint8Array(), count: 0, examined: 0, epoch: 0 }

export class Walk {
  readonly #store: StoreView
  readonly #turns: WalkTurns
  readonly #options: WalkOptions
  /** Keys are compared as they are stored if their text form is their bytes; else as text. */
  readonly #storedPrefix: Uint8Array | undefined
  readonly #textPrefix: Uint8Array | undefined
  #position: WalkPosition | undefined
  /** Entries that a chunk takes chunkMs for, as far as is known. */
  #chunkEntries = 256
  #waitsUntil = Infinity

  /** @throws LatchkeyError if the store does not serve */
  constructor(store: StoreView, turns: WalkTurns, options: WalkOptions) {
    this.#store = store
    this.#turns = turns
    this.#options = options
    const { partition, from, prefix } = options
    const { hasPlainKeys } = store.presentation
    this.#storedPrefix = hasPlainKeys ? prefix : undefined
    this.#textPrefix = hasPlainKeys ? undefined : prefix
    this.#position = from ?? (partition === undefined ? this.#partitionFrom(0) : { partition, hash: 0 })
  }

  /** Where the walk continues; undefined at its end. */
  get position(): WalkPosition | undefined {
    return this.#position
  }

  /**
   * Reads and renders the next chunk.
   *
   * @param limit number of entries, which those of equal hash may exceed
   * @throws LatchkeyError as readChunk() does; what the signal aborts with; as a rejection
   */
  async next(limit: number): Promise<WalkPiece> {
    for (;;) {
      const piece = await this.#turns.chunk(() => this.#read(limit), this.#options.signal)
      if (!('pending' in piece)) return piece
      if (this.#waitsUntil === Infinity) this.#waitsUntil = performance.now() + schemaWaitMs
      await piece.pending.catch(() => {})
    }
  }

  async #read(limit: number): Promise<WalkPiece | { pending: Promise<unknown> }> {
    const position = this.#position
    if (position === undefined) return nothing
    const { keysOnly, form } = this.#options
    const startedAt = performance.now()
    const found = this.#store.readChunk(position, {
      limit: Math.min(limit, this.#chunkEntries),
      withValues: !keysOnly,
      ...(this.#storedPrefix && { prefix: this.#storedPrefix }),
    })
    const chunk = found instanceof Promise ? await found : found
    const options = { textPrefix: this.#textPrefix, keysOnly, waits: startedAt < this.#waitsUntil }
    let count = 0
    let pending: Promise<unknown> | undefined
    const bytes = written((to) => {
      for (const entry of chunk.entries) {
        const before = to.length
        if (form === 'json' && count > 0) to.ascii(',')
        const isWritten = writeWalkEntry(to, this.#store.presentation, entry, options)
        if (isWritten instanceof Promise) {
          pending = isWritten
          return
        }
        if (isWritten) count++
        else to.truncate(before)
        if (isWritten && form === 'ndjson') to.ascii('\n')
      }
    })
    if (pending !== undefined) return { pending }
    this.#adapt(chunk.entries.length, performance.now() - startedAt)
    this.#position = chunk.next ?? this.#after(position.partition)
    return { bytes, count, examined: chunk.examined, epoch: chunk.epoch }
  }

  /** Chunks become as large as fits into their time, by a factor of two at most from one to the next. */
  #adapt(entries: number, ms: number): void {
    if (entries === 0) return
    const fitting = (entries * chunkMs) / ms
    const adapted = Math.min(2 * this.#chunkEntries, Math.max(this.#chunkEntries / 2, fitting))
    this.#chunkEntries = Math.round(Math.min(chunkEntriesMax, Math.max(chunkEntriesMin, adapted)))
  }

  #after(partition: number): WalkPosition | undefined {
    return this.#options.partition === undefined ? this.#partitionFrom(partition + 1) : undefined
  }

  /** Returns the start of the first partition held here from this one on. */
  #partitionFrom(least: number): WalkPosition | undefined {
    const partition = this.#store.heldPartitions.find((held) => held >= least)
    return partition === undefined ? undefined : { partition, hash: 0 }
  }
}
