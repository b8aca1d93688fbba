/**
 * Reads a part of a partition outside of any fetch loop, for settling, repairs and the search for other writers. Holds
 * one Fetch response, and one piece of a batch that is too large to decompress at once. Retries every retryable error
 * indefinitely and reports it in the client's health. An open transaction is such a case: the broker ends it after its
 * timeout.
 */
import { LatchkeyError } from '../../errors.ts'
import { oversizedBatchIn, piecesOf } from '../../kafka/batch-pieces.ts'
import type { KafkaClient } from '../../kafka/client.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { listOffsets } from '../../kafka/offsets.ts'
import { hiddenByTransaction } from '../../kafka/open-transaction.ts'
import type { FetchedPartition } from '../../kafka/protocol/fetch.ts'
import { isOversized, RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { Isolation } from '../../store-protocol/client-config.ts'
import { fetchAt } from './fetch-at.ts'
import { isUnheld, type UnheldRecord } from './unheld-records.ts'

export interface LogPart {
  from: number
  /** Batches that start at this offset or later are excluded. */
  to: number
}

interface LogBatch {
  batch: RecordBatchReader
  /** The Fetch response that contains the batch. */
  fetched: FetchedPartition
}

/**
 * Yields each record batch and each marker, with its records not open. Ends before `to` only if the log was truncated.
 * Skips offsets that were deleted at the start of the log meanwhile.
 */
export async function* logBatches(
  client: KafkaClient,
  topic: string,
  partition: number,
  { from, to }: LogPart,
  isolation: Isolation = client.isolation,
): AsyncGenerator<LogBatch, void, undefined> {
  const batches = new CommittedBatches()
  const { batch } = batches
  for (let position = from; position < to;) {
    const fetched = await client.retryForever(() =>
      fetchVisible(client, topic, partition, { from: position, to }, isolation),
    )
    if (fetched === undefined) return
    if (typeof fetched === 'number') {
      position = fetched
      continue
    }
    batches.open(fetched, position)
    for (let kind = batches.next(); kind !== undefined; kind = batches.next()) {
      if (batch.baseOffset >= to) return
      if (kind !== 'aborted') yield { batch, fetched }
      position = batch.nextOffset
    }
  }
}

/**
 * Like logBatches(), with the records of each batch open and their checksum verified. A batch that is too large to
 * decompress at once is yielded in pieces, each as a batch. A record that is too large to hold is passed over.
 * @param withMarkers whether to yield markers too
 * @param unheld receives each record that is passed over
 * @throws LatchkeyError record_batch_corrupt, also while the records are read
 */
export async function* openBatches(
  client: KafkaClient,
  topic: string,
  partition: number,
  part: LogPart,
  { withMarkers = false, unheld }: { withMarkers?: boolean; unheld?: UnheldRecord } = {},
): AsyncGenerator<RecordBatchReader, void, undefined> {
  const pieces = new CommittedBatches()
  for await (const { batch, fetched } of logBatches(client, topic, partition, part)) {
    if (batch.isControl) {
      if (withMarkers) yield batch
      continue
    }
    const oversized = openRecords(batch)
    if (oversized === undefined) {
      yield batch
      continue
    }
    for await (const piece of piecesOf(fetched, oversizedBatchIn(fetched, oversized))) {
      if ('fault' in piece) {
        if (!isUnheld(piece.fault)) throw piece.fault
        if (piece.next > part.from) unheld?.(piece.fault, piece.next, piece.key)
        continue
      }
      pieces.open(piece.fetched, part.from)
      while (pieces.next() !== undefined) {
        pieces.batch.openRecords({ checkCrc: false })
        yield pieces.batch
      }
    }
  }
}

/** @returns the error of a batch that is too large to decompress at once, else undefined */
function openRecords(batch: RecordBatchReader): LatchkeyError | undefined {
  try {
    batch.openRecords({ checkCrc: true })
    return undefined
  } catch (error) {
    if (isOversized(error)) return error
    throw error
  }
}

/**
 * Fetches the beginning of a part. Returns the log start offset if that is higher, or undefined if there is nothing
 * more. Rejects with a retryable error while an open transaction hides the records.
 */
async function fetchVisible(
  client: KafkaClient,
  topic: string,
  partition: number,
  { from, to }: LogPart,
  isolation: Isolation,
): Promise<FetchedPartition | number | undefined> {
  const fetched = await fetchAt(client, topic, partition, from, isolation)
  if (fetched === undefined) {
    const start = (await listOffsets(client, topic, [partition], 'earliest')).get(partition)!
    return start > from ? start : undefined
  }
  if (fetched.end > fetched.start) return requireBatch(fetched, from, topic)
  // The broker shows this range as readable and empty, so compaction has removed its records.
  const shown = isolation === 'read_committed' ? fetched.lastStableOffset : fetched.highWatermark
  if (shown >= to || to === Number.POSITIVE_INFINITY) return undefined
  const ends = await listOffsets(client, topic, [partition], 'latest', 'read_uncommitted')
  if (ends.get(partition)! < to) return undefined
  throw hiddenByTransaction(topic, partition, from)
}

/**
 * Checks that the response has a whole batch. A broker returns the first batch whole, however large it is; a response
 * without one would be requested again forever.
 */
function requireBatch(fetched: FetchedPartition, from: number, topic: string): FetchedPartition {
  const reader = new RecordBatchReader()
  reader.open(fetched.buffer, fetched.start, fetched.end)
  while (reader.nextBatch()) if (reader.nextOffset > from) return fetched
  const attempted = `Reading ${topic} partition ${fetched.partition} at offset ${from}`
  throw new LatchkeyError('response_malformed', `${attempted}: the answer has no whole batch`)
}
