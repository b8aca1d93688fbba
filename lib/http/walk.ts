/**
 * A walk over the entries held here, or in the group: partition by partition, chunk by chunk, each of one epoch. While a
 * schema is missing a walk holds its position only, and reads the chunk again.
 */
import type { ChunkBounds, WalkChunk, WalkPosition } from '../store-protocol/reads.ts'
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
  /** Id of the instance whose epoch it is; only in a group. */
  readonly instance: string | undefined
  readonly partition: number
  /** What was read of the partition before is read again from here on. */
  readonly isRestart: boolean
}

const nothing: WalkPiece = {
  bytes: new Uint8Array(),
  count: 0,
  examined: 0,
  epoch: 0,
  instance: undefined,
  partition: -1,
  isRestart: false,
}

export class Walk {
  readonly #store: StoreView
  readonly #turns: WalkTurns
  readonly #options: WalkOptions
  /** Keys are compared as they are stored if their text form is their bytes; else as text. */
  readonly #storedPrefix: Uint8Array | undefined
  readonly #textPrefix: Uint8Array | undefined
  #position: WalkPosition | undefined
  readonly #restarted = new Set<number>()
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
   * Partitions that were begun again, because the instance that has read a part of them does not have them any more: what
   * was read of them before is read again.
   */
  get restarted(): ReadonlySet<number> {
    return this.#restarted
  }

  /**
   * Reads and renders the next chunk.
   *
   * @param limit number of entries, which those of equal hash may exceed
   * @throws LatchkeyError as readChunk() does; what the signal aborts with; as a rejection
   */
  async next(limit: number): Promise<WalkPiece> {
    for (;;) {
      // Another instance reads it in its own time: this thread's turns are for what it does itself.
      const fetching = this.#fetch(limit)
      const fetched = fetching && (await fetching)
      const piece = await this.#turns.chunk(() => this.#read(limit, fetched), this.#options.signal)
      if (!('pending' in piece)) return piece
      if (this.#waitsUntil === Infinity) this.#waitsUntil = performance.now() + schemaWaitMs
      await piece.pending.catch(() => {})
    }
  }

  /** Returns undefined for what is read here: without a group, everything. */
  #fetch(limit: number): Promise<WalkChunk> | undefined {
    const position = this.#position
    return position && this.#store.fetchChunk?.(position, this.#boundsOf(limit))
  }

  #boundsOf(limit: number): ChunkBounds {
    return {
      limit: Math.min(limit, this.#chunkEntries),
      withValues: !this.#options.keysOnly,
      ...(this.#storedPrefix && { prefix: this.#storedPrefix }),
    }
  }

  async #read(limit: number, fetched: WalkChunk | undefined): Promise<WalkPiece | { pending: Promise<unknown> }> {
    const position = this.#position
    if (position === undefined) return nothing
    const { keysOnly, form } = this.#options
    const startedAt = performance.now()
    const found = fetched ?? this.#store.readChunk(position, this.#boundsOf(limit))
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
    const { partition } = position
    const { examined, epoch, instance, next, isRestart = false } = chunk
    if (isRestart) this.#restarted.add(partition)
    this.#position = next ?? this.#after(partition)
    return { bytes, count, examined, epoch, instance, partition, isRestart }
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

/** What the end of an answer says of partitions that were begun again: `,"restarted":[3]`, or nothing. */
export function restartedMember({ restarted }: Walk): string {
  return restarted.size === 0 ? '' : `,"restarted":[${[...restarted].join(',')}]`
}
