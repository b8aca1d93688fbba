/**
 * Batches that the changelog refuses as they are (too large by a limit that has changed, a timestamp by a clock that differs): they are
 * written in smaller parts with timestamps of now, down to the one record at fault. That one is compressed; if it is refused even so, BadRecords
 * decides about it.
 */
import { type LatchkeyError } from '../../errors.ts'
import { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { type BadRecords } from './bad-records.ts'
import { type BatchPool, type ChangelogBatch } from './changelog-batch.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { type Stats } from '../../store-protocol/stats.ts'

export class Refusals {
  readonly #stats: Stats
  readonly #pool: BatchPool
  readonly #bad: BadRecords

  constructor(stats: Stats, pool: BatchPool, bad: BadRecords) {
    this.#stats = stats
    this.#pool = pool
    this.#bad = bad
  }

  /** What to write in the place of a refused batch, in order; nothing where its one record cannot be stored. */
  replace(one: PartitionIngest, batch: ChangelogBatch, error: LatchkeyError): ChangelogBatch[] {
    this.#stats.add('changelogFailures', 1)
    const timeAtFault = /TIMESTAMP|INVALID_RECORD/.test(String(error.details['kafka']))
    if (batch.count === 1) {
      if (timeAtFault && !batch.isRetimed) return [this.#part(batch, 0, 1, Date.now())]
      if (!timeAtFault && !batch.isCompressed) return [this.#part(batch, 0, 1, undefined, this.#pool.takeCompressed())]
      if (batch.directWrites === 0) this.#give(one, batch, error)
      return []
    }
    const half = batch.count >>> 1
    const timestamp = timeAtFault ? Date.now() : undefined
    return [this.#part(batch, 0, half, timestamp), this.#part(batch, half, batch.count, timestamp)]
  }

  /** Records `from` to `to` (exclusive) of a batch, as a batch of their own. */
  #part(
    batch: ChangelogBatch,
    from: number,
    to: number,
    timestamp: number | undefined,
    part = this.#pool.take(),
  ): ChangelogBatch {
    part.isAmendment = batch.isAmendment
    const records = batch.openIn(new RecordBatchReader())
    for (let index = 0; index < to && records.nextRecord(); index++) {
      if (index < from) continue
      appendAgain(part, records, timestamp ?? records.timestamp)
      const sourceOffset = records.sourceOffset()
      if (sourceOffset === -1 && !batch.isAmendment) part.directWrites++
      part.nextSource = Math.max(part.nextSource, sourceOffset + 1)
    }
    if (timestamp !== undefined) {
      this.#stats.add('timestampsClamped', part.count)
      part.isRetimed = true
    }
    if (batch.isRetimed) part.isRetimed = true
    if (to === batch.count) part.nextSource = batch.nextSource
    return part
  }

  #give(one: PartitionIngest, batch: ChangelogBatch, error: LatchkeyError): void {
    const records = batch.openIn(new RecordBatchReader())
    records.nextRecord()
    this.#bad.takeRefused(one, records, error.message)
  }
}

/** The record that `records` stands at, with its headers as they are, `src` or `aft` among them. */
function appendAgain(part: ChangelogBatch, records: RecordBatchReader, timestamp: number): void {
  const { data, keyStart, keyLength, valueStart, valueLength, headersStart, headersEnd, headerCount } = records
  const headers =
    headerCount === 0
      ? undefined
      : { bytes: data, start: headersStart, length: headersEnd - headersStart, count: headerCount }
  part.builder.append(data, keyStart, keyLength, valueStart, valueLength, timestamp, -1, headers)
}
