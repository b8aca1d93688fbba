/**
 * The single place that decides what to do with source records that cannot be stored, as ON_BAD_RECORD says. Either the
 * partition continues after the record, which is counted, logged, and written to the dead-letter topic if there is one;
 * or the partition halts at the record.
 */
import { type LatchkeyError, messageOf } from '../../errors.ts'
import type { RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { reasonOf, type SkippedRecord } from '../../store-protocol/skipped.ts'
import type { CounterName, Stats } from '../../store-protocol/stats.ts'
import type { StoreConfig } from '../../store-protocol/store-config.ts'
import type { Fault } from './dead-letter-headers.ts'
import { badRecordAt, badRecordOf, type DeadLetters } from './dead-letters.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import type { RecentBadRecords } from './recent-bad-records.ts'

type BadRecordConfig = Pick<StoreConfig, 'sourceTopic' | 'onBadRecord' | 'deadLetterTopic'>

export class BadRecords {
  readonly #config: BadRecordConfig
  readonly #stats: Stats
  readonly #deadLetters: DeadLetters | undefined
  readonly #recent: RecentBadRecords | undefined
  readonly #repeated = new RepeatedLog(loggerOf('ingest'))

  /**
   * @param deadLetters present with ON_BAD_RECORD=dead-letter
   * @param recent reports the last records; absent in tests
   */
  constructor(config: BadRecordConfig, stats: Stats, deadLetters?: DeadLetters, recent?: RecentBadRecords) {
    this.#config = config
    this.#stats = stats
    this.#deadLetters = deadLetters
    this.#recent = recent
  }

  /**
   * Handles a record that cannot be stored: the one at which `batch` is positioned.
   * @param reason counter of the record
   * @param fault what is wrong with the record; follows "record skipped, " in the log
   * @param what the same without anything that the record contains, for the status
   * @returns whether to continue after the record; false if the partition halts, and neither this record nor a later
   *   one is consumed
   */
  handleRecord(
    state: PartitionIngest,
    batch: RecordBatchReader,
    reason: CounterName,
    fault: string,
    what = fault,
  ): boolean {
    const { offset } = batch
    if (this.#halts(state, offset, fault, what)) return false
    this.#count(state, offset, reason, fault)
    this.#remember(reason, { partition: state.partition, offset, fault: what })
    const deadLetter = this.#fault(state, offset, reason, fault)
    this.#deadLetters?.append(
      state,
      badRecordAt(batch),
      batch.undecodable ? { ...deadLetter, raw: 'record' } : deadLetter,
    )
    return true
  }

  /**
   * Like handleRecord(), for a batch that cannot be read, or a record too large for any batch: offsets from `state.consumed` up
   * to `next`, exclusive.
   * @param bytes of the batch, if its length is known
   */
  handleBatch(
    state: PartitionIngest,
    next: number,
    attempts: number,
    error: LatchkeyError,
    bytes: Buffer | undefined,
  ): boolean {
    const { partition, consumed } = state
    const fault = messageOf(error)
    const reason = error.code === 'entry_too_large' ? 'skippedTooLarge' : 'skippedCorruptBatch'
    if (this.#halts(state, consumed, fault)) return false
    this.#stats.add(reason, 1)
    const message = `{topic} partition {partition}: offsets {from} to {to} ${this.#what} after {fetches}: {fault}`
    const fetches = attempts === 1 ? '1 fetch' : `${attempts} fetches`
    this.#log('error', `corrupt ${partition}`, message, { partition, from: consumed, to: next - 1, fetches, fault })
    this.#remember(reason, { partition, offset: consumed, lastOffset: next - 1, fault })
    const deadLetter = this.#fault(state, consumed, reason, `offsets ${consumed} to ${next - 1}: ${fault}`)
    this.#deadLetters?.append(state, badRecordOf(bytes), { ...deadLetter, raw: 'batch' })
    return true
  }

  /**
   * Like handleRecord(), for the record of a changelog batch that the broker refuses to store. Later records may already wait;
   * if the partition halts, they must be taken back.
   */
  takeRefused(state: PartitionIngest, stored: RecordBatchReader, refusal: string): boolean {
    const offset = stored.sourceOffset()
    const message = `the changelog refuses it: ${refusal}`
    if (this.#halts(state, offset, message)) return false
    this.#count(state, offset, 'skippedTooLarge', message)
    // A discard tombstone is not a source record.
    if (offset >= 0) {
      this.#remember('skippedTooLarge', { partition: state.partition, offset, fault: message })
      this.#deadLetters?.appendRefused(state, stored, this.#fault(state, offset, 'skippedTooLarge', message))
    }
    return true
  }

  #count({ partition }: PartitionIngest, offset: number, reason: CounterName, fault: string): void {
    this.#stats.add(reason, 1)
    const level = reason === 'skippedTooLarge' ? 'error' : 'warning'
    const message = `{topic} partition {partition} offset {offset}: record ${this.#what}, {fault}`
    this.#log(level, `${reason} ${partition}`, message, { partition, offset, fault })
  }

  #remember(reason: CounterName, record: Omit<SkippedRecord, 'at' | 'reason'>): void {
    this.#recent?.add({ ...record, reason: reasonOf(reason) })
  }

  #halts(state: PartitionIngest, offset: number, fault: string, what = fault): boolean {
    if (this.#config.onBadRecord !== 'stop' || offset < 0) return false
    state.reading.halt(offset, fault, what)
    return true
  }

  get #what(): string {
    return this.#deadLetters === undefined ? 'skipped' : 'written to {deadLetterTopic}'
  }

  #log(level: 'warning' | 'error', key: string, message: string, properties: Record<string, unknown>): void {
    const { sourceTopic, deadLetterTopic } = this.#config
    const deadLetters = this.#deadLetters === undefined ? {} : { deadLetterTopic }
    this.#repeated.log(level, key, message, { topic: sourceTopic, ...deadLetters, ...properties })
  }

  #fault({ partition }: PartitionIngest, offset: number, reason: CounterName, message: string): Fault {
    return { topic: this.#config.sourceTopic, partition, offset, reason, message }
  }
}
