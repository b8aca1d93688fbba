/** Splits a fetched batch that is too large to decompress at once into pieces that are processed like batches. */
import { LatchkeyError } from '../errors.ts'
import type { FetchedPartition } from './protocol/fetch.ts'
import { maxDecompressedBytes, RecordBatchReader, splitBatch } from './record-batch/index.ts'

export interface OversizedBatch {
  /** The batch as it was fetched. */
  bytes: Buffer
  baseOffset: number
  nextOffset: number
}

/**
 * A piece in the form of a fetched partition, or a fault that concerns one record (`entry_too_large`, with its key if
 * that is known) or the rest of the batch. After a fault, the reader skips the offsets before `next`.
 */
export type Piece = { fetched: FetchedPartition } | { fault: LatchkeyError; next: number; key?: Buffer | undefined }

/** Returns the batch that an error of isOversized() names. */
export function oversizedBatchIn({ buffer, start, end }: FetchedPartition, error: LatchkeyError): OversizedBatch {
  const reader = new RecordBatchReader()
  reader.open(buffer, start, end)
  while (reader.nextBatch()) {
    const { baseOffset, nextOffset } = reader
    if (baseOffset === error.details['baseOffset']) return { bytes: reader.rawBatch()!, baseOffset, nextOffset }
  }
  throw error
}

/** Yields the pieces of a batch. @param fetched partition that the batch was fetched with; its bytes are not read */
export async function* piecesOf(
  fetched: FetchedPartition,
  { bytes, nextOffset }: OversizedBatch,
): AsyncGenerator<Piece, void, undefined> {
  try {
    for await (const piece of splitBatch(bytes)) {
      yield Buffer.isBuffer(piece)
        ? { fetched: pieceOf(fetched, piece) }
        : { fault: tooLarge(piece.offset, piece.bytes), next: piece.next, key: piece.key }
    }
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
    yield { fault: error, next: nextOffset }
  }
}

/** Builds a piece. Pieces lack the transaction bit: the caller already knows that the batch is committed. */
function pieceOf(fetched: FetchedPartition, piece: Buffer): FetchedPartition {
  return { ...fetched, abortedTransactions: [], buffer: piece, start: 0, end: piece.length }
}

function tooLarge(offset: number, bytes: number): LatchkeyError {
  const found = `it has ${bytes} bytes, the most that can be stored is ${maxDecompressedBytes}`
  return new LatchkeyError('entry_too_large', `Reading the record at offset ${offset}: ${found}`)
}
