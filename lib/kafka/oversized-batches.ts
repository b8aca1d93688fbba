/** Gives a fetched batch that is too large to decompress at once in pieces, each the way of every other batch. */
import { LatchkeyError } from '../errors.ts'
import { type FetchedPartition } from './fetch.ts'
import { maxDecompressedBytes, RecordBatchReader, splitBatch } from './record-batch/index.ts'

export interface PieceSink {
  /** Takes a piece that begins at an offset as if it had been fetched; resolves with false to leave the others. */
  take(piece: FetchedPartition, from: number): Promise<boolean>
  /** Passes over all before an offset, for a fault that is no other record's. */
  passOver(next: number, fault: LatchkeyError): void
}

/**
 * Resolves when all pieces are taken or passed over, with the offset behind the batch.
 * @param oversized the error that names the batch, see isOversized()
 */
export async function takeInPieces(
  fetched: FetchedPartition,
  oversized: LatchkeyError,
  sink: PieceSink,
): Promise<number> {
  const reader = readerAt(fetched, Number(oversized.details['baseOffset']))
  if (reader === undefined) throw oversized
  const { baseOffset, nextOffset } = reader
  try {
    for await (const piece of splitBatch(reader.rawBatch()!)) {
      if (!Buffer.isBuffer(piece)) sink.passOver(piece.offset + 1, tooLarge(piece.offset, piece.bytes))
      else if (!(await sink.take(pieceOf(fetched, piece), baseOffset))) break
    }
  } catch (error) {
    if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
    sink.passOver(nextOffset, error)
  }
  return nextOffset
}

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
