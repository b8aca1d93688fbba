/**
 * Gives a fetched batch that is too large to decompress at once in pieces, each the way of every other batch. It may be gigabytes, so that is done
 * apart from the loop of its broker, whose other partitions go on. One batch at a time: what it takes to decompress one is not little.
 */
import { LatchkeyError } from '../errors.ts'
import { type FetchedPartition } from './fetch.ts'
import { type FetchSink } from './fetcher.ts'
import { maxDecompressedBytes, RecordBatchReader, splitBatch } from './record-batch/index.ts'

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
    const reader = readerAt(fetched, Number(oversized.details['baseOffset']))
    if (reader === undefined) throw oversized
    const { baseOffset, nextOffset } = reader
    this.#fetcher.leave(partition)
    this.#fetcher.seek(partition, baseOffset)
    const generation = this.#fetcher.generation(partition)
    if (generation === undefined) return
    if (this.#reading !== undefined) return void this.#waiting.set(partition, generation)
    // The response goes while this is read.
    const batch = Buffer.from(reader.rawBatch()!)
    const place = { partition, generation, baseOffset, nextOffset }
    this.#reading = this.#read({ ...fetched, buffer: noBytes, start: 0, end: 0 }, batch, place).finally(() => {
      this.#reading = undefined
      for (const [other, since] of this.#waiting) this.#comeBack(other, since)
      this.#waiting.clear()
    })
  }

  async #read(fetched: FetchedPartition, batch: Buffer, place: Place): Promise<void> {
    const { partition, generation } = place
    try {
      const next = await this.#give(fetched, batch, place)
      if (this.#fetcher.generation(partition) !== generation) return
      this.#fetcher.seek(partition, next)
      this.#fetcher.comeBack(partition)
    } catch (error) {
      this.#fetcher.comeBack(partition)
      this.#fetcher.failed(partition, error)
    }
  }

  /** @returns where to go on */
  async #give(fetched: FetchedPartition, batch: Buffer, place: Place): Promise<number> {
    const { partition, generation, baseOffset, nextOffset } = place
    const isCurrent = () => this.#fetcher.generation(partition) === generation
    try {
      for await (const piece of splitBatch(batch)) {
        if (!isCurrent()) break
        if (Buffer.isBuffer(piece)) {
          const next = this.#sink.received(pieceOf(fetched, piece), baseOffset)
          if (next !== undefined) return next
        } else this.#sink.passOver(partition, piece.offset + 1, tooLarge(piece.offset, piece.bytes))
        await this.#sink.room()
      }
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.details['baseOffset'] !== baseOffset) throw error
      if (isCurrent()) this.#sink.passOver(partition, nextOffset, error)
    }
    return nextOffset
  }

  #comeBack(partition: number, generation: number): void {
    if (this.#fetcher.generation(partition) === generation) this.#fetcher.comeBack(partition)
  }
}

interface Place {
  partition: number
  generation: number
  baseOffset: number
  nextOffset: number
}

const noBytes = Buffer.alloc(0)

/** That it is committed is known already: the transaction bit is not set in a piece. */
function pieceOf(fetched: FetchedPartition, piece: Buffer): FetchedPartition {
  return { ...fetched, abortedTransactions: [], buffer: piece, start: 0, end: piece.length }
}

function readerAt({ buffer, start, end }: FetchedPartition, baseOffset: number): RecordBatchReader | undefined {
  const reader = new RecordBatchReader()
  reader.open(buffer, start, end)
  while (reader.nextBatch()) if (reader.baseOffset === baseOffset) return reader
  return undefined
}

function tooLarge(offset: number, bytes: number): LatchkeyError {
  const found = `it has ${bytes} bytes, the most that can be stored is ${maxDecompressedBytes}`
  return new LatchkeyError('entry_too_large', `Reading the record at offset ${offset}: ${found}`)
}
