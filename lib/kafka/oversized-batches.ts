/**
 * Gives a fetched batch that is too large to decompress at once in pieces, each the way of every other batch. It may be gigabytes, so that is done
 * apart from the loop of its broker, whose other partitions go on. One batch at a time: what it takes to decompress one is not little.
 */
import { type LatchkeyError } from '../errors.ts'
import { type OversizedBatch, oversizedBatchIn, piecesOf } from './batch-pieces.ts'
import { type FetchedPartition } from './protocol/fetch.ts'
import { isDamage } from './damaged-batches.ts'
import { type FetchSink } from './fetch-sink.ts'

/** The fetcher that a partition leaves meanwhile. */
export interface Apart {
  /** The partition is not fetched until comeBack(). */
  leave(partition: number): void
  comeBack(partition: number): void
  seek(partition: number, position: number): void
  /** Another one once the partition has been added anew or sought elsewhere; undefined where it was removed, and when all stops. */
  generation(partition: number): number | undefined
  /** A partition that has come back cannot be served. */
  failed(partition: number, error: unknown): void
}

export class OversizedBatches {
  readonly #sink: FetchSink
  readonly #fetcher: Apart
  /** Partition to its generation: they wait where their own oversized batch begins, and hold nothing of it. */
  readonly #waiting = new Map<number, number>()
  #reading: Promise<void> | undefined

  constructor(sink: FetchSink, fetcher: Apart) {
    this.#sink = sink
    this.#fetcher = fetcher
  }

  /** Resolves when no batch is being read. */
  get settled(): Promise<void> {
    return this.#reading ?? Promise.resolve()
  }

  /** Reads a batch, or lets its partition wait. @param oversized the error that names the batch, see isOversized() */
  take(fetched: FetchedPartition, oversized: LatchkeyError): void {
    const { partition } = fetched
    const batch = oversizedBatchIn(fetched, oversized)
    this.#fetcher.leave(partition)
    this.#fetcher.seek(partition, batch.baseOffset)
    const generation = this.#fetcher.generation(partition)
    if (generation === undefined) return
    if (this.#reading !== undefined) return void this.#waiting.set(partition, generation)
    // The response goes while this is read.
    const kept = { ...batch, bytes: Buffer.from(batch.bytes) }
    this.#reading = this.#read({ ...fetched, buffer: noBytes, start: 0, end: 0 }, kept, generation).finally(() => {
      this.#reading = undefined
      for (const [other, since] of this.#waiting) this.#comeBack(other, since)
      this.#waiting.clear()
    })
  }

  async #read(fetched: FetchedPartition, batch: OversizedBatch, generation: number): Promise<void> {
    const { partition } = fetched
    const isCurrent = () => this.#fetcher.generation(partition) === generation
    try {
      const next = await this.#give(fetched, batch, isCurrent)
      if (!isCurrent()) return
      this.#fetcher.seek(partition, next)
      this.#fetcher.comeBack(partition)
    } catch (error) {
      this.#fetcher.comeBack(partition)
      this.#fetcher.failed(partition, error)
    }
  }

  /** @returns where to go on */
  async #give(fetched: FetchedPartition, batch: OversizedBatch, isCurrent: () => boolean): Promise<number> {
    for await (const piece of piecesOf(fetched, batch)) {
      if (!isCurrent()) break
      if ('fault' in piece) this.#sink.passOver(fetched.partition, piece.next, piece.fault)
      else {
        const next = this.#giveOne(piece.fetched, batch)
        if (next !== undefined) return next
      }
      await this.#sink.room()
    }
    return batch.nextOffset
  }

  /** @returns where to go on, where that is not with the next piece */
  #giveOne(piece: FetchedPartition, { baseOffset, nextOffset }: OversizedBatch): number | undefined {
    try {
      return this.#sink.received(piece, baseOffset) ?? undefined
    } catch (error) {
      if (!isDamage(error)) throw error
      // The batch had the right checksum.
      this.#sink.passOver(piece.partition, nextOffset, error)
      return nextOffset
    }
  }

  #comeBack(partition: number, generation: number): void {
    if (this.#fetcher.generation(partition) === generation) this.#fetcher.comeBack(partition)
  }
}

const noBytes = Buffer.alloc(0)
