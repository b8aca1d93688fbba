/**
 * Writes what memory has into the changelog again, where the changelog was found to differ from it: ahead of all that waits for the partition.
 *
 * `ingest.amend(partition, write)` withholds the partition's own batches, waits until what is under way is acknowledged and memory shows it, calls
 * `write` with an Amendment, and resolves when all that was appended is acknowledged; then the partition's own batches go on. Order is the reason: a
 * record of memory that was written behind a newer one that waits would replace it.
 *
 *     await ingest.amend(partition, async (amendment) => {
 *       for (const key of keys) await amendment.append(key, after)
 *     })
 *
 * `append` writes the record as it was: value bytes, kept headers, timestamp, `src`. Where memory has nothing it writes a tombstone with `aft`=after; a
 * record without `src` gets `aft`=after, too. It resolves when there is room for more, so memory is bounded by a few batches.
 */
import { type HeaderBytes, HeaderCursor } from '../../kafka/record-batch/index.ts'
import { type ChiralMap, type StoredEntry } from '../../map/index.ts'
import { headersOf, withoutHeaders } from '../../store-protocol/header-prefix.ts'
import { discardOffset } from '../recovery/source-trail.ts'
import { type ChangelogBatch } from './changelog-batch.ts'

/** What an amendment needs of the ingest that it writes through. */
export interface AmendmentSink {
  /** An empty batch. */
  take(): ChangelogBatch
  /** Takes a batch to write. */
  write(batch: ChangelogBatch): void
  /** Resolves when there is room for another batch, or nothing is to be written any more. */
  room(): Promise<void>
  /** The partition is lost, the store stops, or another amendment has taken the place of this one. */
  isOver(): boolean
}

const noBytes = new Uint8Array(0)

export class Amendment {
  readonly #map: ChiralMap
  readonly #partition: number
  readonly #hasHeaders: boolean
  readonly #sink: AmendmentSink
  readonly #headers = new HeaderCursor()
  #batch: ChangelogBatch | undefined

  /** @param hasHeaders values in memory stand behind headers */
  constructor(map: ChiralMap, partition: number, hasHeaders: boolean, sink: AmendmentSink) {
    this.#map = map
    this.#partition = partition
    this.#hasHeaders = hasHeaders
    this.#sink = sink
  }

  /** Nothing more is written: what is appended is dropped. */
  get isOver(): boolean {
    return this.#sink.isOver()
  }

  /** Writes what memory has for a key. @param after source offset that a record without `src` comes after; -1 none */
  append(key: Uint8Array, after: number): Promise<void> {
    return this.#append(key, this.#map.latest(this.#partition, key), after)
  }

  /** Writes a tombstone, where memory has nothing for the key. */
  async appendTombstone(key: Uint8Array, after: number): Promise<void> {
    if (!this.#map.has(this.#partition, key, 0, key.length)) await this.#append(key, undefined, after)
  }

  /** Writes a tombstone by which recovery forgets what it has read of the source's offsets. */
  discard(key: Uint8Array): Promise<void> {
    return this.#append(key, undefined, discardOffset)
  }

  /** Writes the batch that is not full. */
  finish(): void {
    if (this.#batch === undefined || this.isOver) return
    this.#sink.write(this.#batch)
    this.#batch = undefined
  }

  async #append(key: Uint8Array, entry: StoredEntry | undefined, after: number): Promise<void> {
    if (this.isOver) return
    this.#batch ??= this.#sink.take()
    if (this.#encode(this.#batch, key, entry, after)) return
    this.finish()
    await this.#sink.room()
    if (!this.isOver) this.#encode((this.#batch = this.#sink.take()), key, entry, after)
  }

  #encode({ builder }: ChangelogBatch, key: Uint8Array, entry: StoredEntry | undefined, after: number): boolean {
    const offset = entry === undefined || entry.offset < 0 ? after : entry.offset
    const isAfter = offset === after && offset >= 0 && (entry?.offset ?? -1) < 0
    const timestamp = entry?.timestamp ?? Date.now()
    // Key and value have to lie in one source.
    const value = entry === undefined ? noBytes : this.#hasHeaders ? withoutHeaders(entry.value) : entry.value
    const record = Buffer.concat([key, value])
    const valueLength = entry === undefined ? -1 : value.length
    const headers = entry !== undefined && this.#hasHeaders ? this.#headersOf(entry.value) : undefined
    return builder.append(record, 0, key.length, key.length, valueLength, timestamp, offset, headers, isAfter)
  }

  #headersOf(stored: Uint8Array): HeaderBytes | undefined {
    const bytes = headersOf(stored)
    if (bytes.length === 0) return undefined
    const cursor = this.#headers
    cursor.open(bytes, 0, bytes.length)
    let count = 0
    while (cursor.next()) count++
    return { bytes, start: 0, length: bytes.length, count }
  }
}
