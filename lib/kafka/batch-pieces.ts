/** A fetched batch that is too large to decompress at once, in pieces, each the way of every other batch. */
import { LatchkeyError } from '../errors.ts'
import { type FetchedPartition } from './protocol/fetch.ts'
import { maxDecompressedBytes, RecordBatchReader, splitBatch } from './record-batch/index.ts'

export interface OversizedBatch {
  /** As it was fetched. */
  bytes: Buffer
  baseOffset: number
  nextOffset: number
}

/** As if it had been fetched; or all before an offset is to be passed over, for a fault that is no other record's. */
export type Piece = { fetched: FetchedPartition } | { fault: LatchkeyError; next: number }

/** The batch that an error names, see isOversized(). */
export function oversizedBatchIn({ buffer, start, end }: FetchedPartition, error: LatchkeyError): OversizedBatch {
  const reader = new RecordBatchReader()
  reader.open(buffer, start, end)
  while (reader.nextBatch()) {
    const { baseOffset, nextOffset } = reader
    if (baseOffset === error.details['baseOffset']) return { bytes: reader.rawBatch()!, baseOffset, nextOffset }
  }
  throw error
}

/** @param fetched what the batch was fetched with; its bytes are not looked at */
export async function* piecesOf(
  fetched: FetchedPartition,
  { bytes, nextOffset }: OversizedBatch,
): AsyncGenerator<Piece, void, undefined> {
  try {
    for await (const piece of splitBatch(bytes)) {
      yield Buffer.isBuffer(piece)
        ? { fetched: pieceOf(fetched, piece) }
        : { fault: tooLarge(piece.offset, piece.bytes), next: piece.offset + 1 }
    }
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
    yield { fault: error, next: nextOffset }
  }
}

/** That it is committed is known already: the transaction bit is not set in a piece. */
function pieceOf(fetched: FetchedPartition, piece: Buffer): FetchedPartition {
  return { ...fetched, abortedTransactions: [], buffer: piece, start: 0, end: piece.length }
}

function tooLarge(offset: number, bytes: number): LatchkeyError {
  const found = `it has ${bytes} bytes, the most that can be stored is ${maxDecompressedBytes}`
  return new LatchkeyError('entry_too_large', `Reading the record at offset ${offset}: ${found}`)
}
