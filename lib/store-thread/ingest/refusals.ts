/**
 * Replaces batches that the changelog refuses: too large by a limit that has changed, or with a timestamp that the
 * broker's clock does not allow. They are written in smaller parts, or with the current time, down to the one record at
 * fault. That record is compressed; if it is refused again, it goes to BadRecords.
 */
import type { LatchkeyError } from '../../errors.ts'
import { hasBrokerCode, invalidRecord, invalidTimestamp } from '../../kafka/protocol/error-codes.ts'
import { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { BadRecords } from './bad-records.ts'
import type { BatchPool, ChangelogBatch } from './changelog-batch.ts'
import type { PartitionIngest } from './partition-ingest.ts'

export class Refusals {
  readonly #stats: Stats
  readonly #pool: BatchPool
  readonly #bad: BadRecords

  constructor(stats: Stats, pool: BatchPool, bad: BadRecords) {
    this.#stats = stats
    this.#pool = pool
    this.#bad = bad
  }

  /** Returns the batches that replace a refused batch, in order; empty if its only record cannot be stored. */
  replace(state: PartitionIngest, batch: ChangelogBatch, error: LatchkeyError): ChangelogBatch[] {
    this.#stats.add('changelogFailures', 1)
    const timeAtFault = hasBrokerCode(error, invalidTimestamp, invalidRecord)
    if (batch.count === 1) {
      if (timeAtFault && !batch.isRetimed) return [this.#part(batch, 0, 1, Date.now())]
      if (!timeAtFault && !batch.isCompressed) {
        return [this.#part(batch, 0, 1, undefined, this.#pool.acquireCompressed())]
      }
      if (batch.directWrites === 0) this.#give(state, batch, error)
      return []
    }
    const half = batch.count >>> 1
    const timestamp = timeAtFault ? Date.now() : undefined
    return [this.#part(batch, 0, half, timestamp), this.#part(batch, half, batch.count, timestamp)]
  }

  /** Returns records `from` to `to` (exclusive) of a batch as a new batch. */
  #part(
    batch: ChangelogBatch,
    from: number,
    to: number,
    timestamp: number | undefined,
    part = this.#pool.acquire(),
  ): ChangelogBatch {
    if (batch.isAmendment) part.markAmendment()
    const records = batch.openIn(new RecordBatchReader())
    for (let index = 0; index < to && records.nextRecord(); index++) {
      if (index < from) continue
      appendAgain(part, records, timestamp ?? records.timestamp)
      const sourceOffset = records.sourceOffset()
      if (sourceOffset === -1 && !batch.isAmendment) part.countDirectWrite()
      part.coverTo(Math.max(part.nextSource, sourceOffset + 1))
    }
    if (timestamp !== undefined) {
      this.#stats.add('timestampsClamped', part.count)
    }
    if (timestamp !== undefined || batch.isRetimed) part.markRetimed()
    if (to === batch.count) part.coverTo(batch.nextSource)
    return part
  }

  #give(state: PartitionIngest, batch: ChangelogBatch, error: LatchkeyError): void {
    const records = batch.openIn(new RecordBatchReader())
    records.nextRecord()
    this.#bad.takeRefused(state, records, error.message)
  }
}

/** Appends the record at which `records` is positioned, with its headers unchanged, including `src` or `aft`. */
function appendAgain(part: ChangelogBatch, records: RecordBatchReader, timestamp: number): void {
  const { data, keyStart, keyLength, valueStart, valueLength, headersStart, headersEnd, headerCount } = records
  const headers =
    headerCount === 0
      ? undefined
      : { bytes: data, start: headersStart, length: headersEnd - headersStart, count: headerCount }
  part.builder.append(data, keyStart, keyLength, valueStart, valueLength, timestamp, -1, headers)
}
