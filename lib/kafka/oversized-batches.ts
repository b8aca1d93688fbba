/**
 * Feeds a fetched batch that is too large to decompress at once to the sink in pieces. The batch may be gigabytes, so
 * this runs outside the loop of its broker, whose other partitions continue. Batches are read one at a time, because
 * decompressing one takes much memory.
 */
import type { LatchkeyError } from '../errors.ts'
import { type OversizedBatch, oversizedBatchIn, piecesOf } from './batch-pieces.ts'
import { isDamage } from './damaged-batches.ts'
import type { FetchSink } from './fetch-sink.ts'
import type { FetchedPartition } from './protocol/fetch.ts'

/** The part of the fetcher that this class uses. A partition leaves the fetcher while its batch is read. */
export interface DetachableFetcher {
  /** Stops fetching the partition until comeBack(). */
  detach(partition: number): void
  reattach(partition: number): void
  seek(partition: number, position: number): void
  /**
   * Number that changes when the partition is added again or seeks; undefined if it was removed, or the fetcher stops.
   */
  generation(partition: number): number | undefined
  /** Reports that a partition that came back cannot be served. */
  failed(partition: number, error: unknown): void
}

export class OversizedBatches {
  readonly #sink: FetchSink
  readonly #fetcher: DetachableFetcher
  /**
   * Waiting partitions with their generations. Each waits at the start of its own oversized batch and holds none of its
   * bytes.
   */
  readonly #waiting = new Map<number, number>()
  #reading: Promise<void> | undefined

  constructor(sink: FetchSink, fetcher: DetachableFetcher) {
    this.#sink = sink
    this.#fetcher = fetcher
  }

  /** Resolves when no batch is being read. */
  get settled(): Promise<void> {
    return this.#reading ?? Promise.resolve()
  }

  /** Reads a batch, or lets its partition wait. @param oversized error that names the batch, see isOversized() */
  readOrWait(fetched: FetchedPartition, oversized: LatchkeyError): void {
    const { partition } = fetched
    const batch = oversizedBatchIn(fetched, oversized)
    this.#fetcher.detach(partition)
    this.#fetcher.seek(partition, batch.baseOffset)
    const generation = this.#fetcher.generation(partition)
    if (generation === undefined) return
    if (this.#reading !== undefined) return void this.#waiting.set(partition, generation)
    // Copied, because the memory of the response is freed meanwhile.
    const kept = { ...batch, bytes: Buffer.from(batch.bytes) }
    this.#reading = this.#read({ ...fetched, buffer: noBytes, start: 0, end: 0 }, kept, generation).finally(() => {
      this.#reading = undefined
      for (const [other, since] of this.#waiting) this.#reattach(other, since)
      this.#waiting.clear()
    })
  }

  async #read(fetched: FetchedPartition, batch: OversizedBatch, generation: number): Promise<void> {
    const { partition } = fetched
    const isCurrent = () => this.#fetcher.generation(partition) === generation
    try {
      const next = await this.#deliver(fetched, batch, isCurrent)
      if (!isCurrent()) return
      this.#fetcher.seek(partition, next)
      this.#fetcher.reattach(partition)
    } catch (error) {
      this.#fetcher.reattach(partition)
      this.#fetcher.failed(partition, error)
    }
  }

  /** @returns offset to continue from */
  async #deliver(fetched: FetchedPartition, batch: OversizedBatch, isCurrent: () => boolean): Promise<number> {
    for await (const piece of piecesOf(fetched, batch)) {
      if (!isCurrent()) break
      if ('fault' in piece) this.#sink.passOver(fetched.partition, piece.next, piece.fault, piece.key)
      else {
        const next = this.#deliverPiece(piece.fetched, batch)
        if (next !== undefined) return next
      }
      await this.#sink.room()
    }
    return batch.nextOffset
  }

  /** @returns offset to continue from, if that is not the next piece */
  #deliverPiece(piece: FetchedPartition, { baseOffset, nextOffset }: OversizedBatch): number | undefined {
    try {
      return this.#sink.received(piece, baseOffset) ?? undefined
    } catch (error) {
      if (!isDamage(error)) throw error
      // The batch had the right checksum, so the damage is in the log.
      this.#sink.passOver(piece.partition, nextOffset, error)
      return nextOffset
    }
  }

  #reattach(partition: number, generation: number): void {
    if (this.#fetcher.generation(partition) === generation) this.#fetcher.reattach(partition)
  }
}

const noBytes = Buffer.alloc(0)
