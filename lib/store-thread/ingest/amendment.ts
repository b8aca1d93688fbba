/**
 * Writes records of the map to the changelog again, where the changelog was found to differ from the map. They are
 * written before everything that waits for the partition.
 *
 * `ingest.amend(partition, write)` withholds the partition's own batches and waits until batches in flight are
 * acknowledged and visible to the writer. Then it calls `write` with an Amendment, and resolves when all appended
 * records are acknowledged. Then the partition's own batches continue. The order is the reason: a record of the map
 * that was written after a newer waiting record would replace it.
 *
 *     await ingest.amend(partition, async (amendment) => {
 *       for (const key of keys) await amendment.append(key, after)
 *     })
 *
 * `append` writes the record unchanged: value bytes, kept headers, timestamp, `src`. If the map has no entry, it writes
 * a tombstone with `aft`=after; a record without `src` gets `aft`=after too. It resolves when there is room for more,
 * so memory is bounded by a few batches.
 */
import { type HeaderBytes, HeaderCursor } from '../../kafka/record-batch/index.ts'
import type { ChiralMap, StoredEntry } from '../../map/index.ts'
import { headersOf, withoutHeaders } from '../../store-protocol/header-prefix.ts'
import { discardOffset } from '../recovery/source-trail.ts'
import type { ChangelogBatch } from './changelog-batch.ts'

/** What an amendment needs from ingest. */
export interface AmendmentSink {
  /** Returns an empty batch. */
  acquireBatch(): ChangelogBatch
  /** Queues a batch to be written. */
  write(batch: ChangelogBatch): void
  /** Resolves when there is room for another batch, or when the amendment is over. */
  room(): Promise<void>
  /**
   * Whether the amendment is over: the partition is lost, the store stops, or another amendment has replaced this one.
   */
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

  /** @param hasHeaders whether values in the map have a header prefix */
  constructor(map: ChiralMap, partition: number, hasHeaders: boolean, sink: AmendmentSink) {
    this.#map = map
    this.#partition = partition
    this.#hasHeaders = hasHeaders
    this.#sink = sink
  }

  /** Whether the amendment is over. Appended records are then dropped. */
  get isOver(): boolean {
    return this.#sink.isOver()
  }

  /**
   * Writes the map's record of a key.
   * @param after the `aft` offset of a record without `src`; -1 for none
   */
  append(key: Uint8Array, after: number): Promise<void> {
    return this.#append(key, this.#map.latest(this.#partition, key), after)
  }

  /** Writes a tombstone if the map has no entry for the key. */
  async appendTombstone(key: Uint8Array, after: number): Promise<void> {
    if (!this.#map.has(this.#partition, key, 0, key.length)) await this.#append(key, undefined, after)
  }

  /** Writes a discard tombstone, after which recovery ignores all source offsets read before. */
  discard(key: Uint8Array): Promise<void> {
    return this.#append(key, undefined, discardOffset)
  }

  /** Writes the last batch, which is not full. */
  finish(): void {
    if (this.#batch === undefined || this.isOver) return
    this.#sink.write(this.#batch)
    this.#batch = undefined
  }

  async #append(key: Uint8Array, entry: StoredEntry | undefined, after: number): Promise<void> {
    if (this.isOver) return
    this.#batch ??= this.#sink.acquireBatch()
    if (this.#encode(this.#batch, key, entry, after)) return
    this.finish()
    await this.#sink.room()
    if (!this.isOver) this.#encode((this.#batch = this.#sink.acquireBatch()), key, entry, after)
  }

  #encode({ builder }: ChangelogBatch, key: Uint8Array, entry: StoredEntry | undefined, after: number): boolean {
    const offset = entry === undefined || entry.offset < 0 ? after : entry.offset
    const isAfter = offset === after && offset >= 0 && (entry?.offset ?? -1) < 0
    const timestamp = entry?.timestamp ?? Date.now()
    // Key and value must be in one buffer.
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
