/**
 * Source records that cannot be stored, whatever the reason: one place that decides what becomes of them, as ON_BAD_RECORD says. Either the
 * partition goes on behind the record, which is counted and told, and written to the dead-letter topic where there is one; or it halts there.
 */
import { type LatchkeyError, messageOf } from '../../errors.ts'
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { type CounterName, type Stats } from '../../store-protocol/stats.ts'
import { type StoreConfig } from '../../store-protocol/store-config.ts'
import { type Fault } from './dead-letter-headers.ts'
import { type DeadLetters, foundAt, foundBytes } from './dead-letters.ts'
import { type PartitionIngest } from './partition-ingest.ts'

type BadRecordConfig = Pick<StoreConfig, 'sourceTopic' | 'onBadRecord' | 'deadLetterTopic'>

export class BadRecords {
  readonly #config: BadRecordConfig
  readonly #stats: Stats
  readonly #letters: DeadLetters | undefined
  readonly #repeated = new RepeatedLog(loggerOf('ingest'))

  /** @param letters with ON_BAD_RECORD=dead-letter */
  constructor(config: BadRecordConfig, stats: Stats, letters?: DeadLetters) {
    this.#config = config
    this.#stats = stats
    this.#letters = letters
  }

  /**
   * The record that `batch` stands at cannot be stored.
   * @param reason what it is counted under
   * @param fault what is wrong with it, to be read after "record skipped, "
   * @returns whether to go on behind it; false: the partition halts here, and neither this record nor anything after it is consumed
   */
  take(one: PartitionIngest, batch: RecordBatchReader, reason: CounterName, fault: string): boolean {
    const { offset } = batch
    if (this.#halts(one, offset, fault)) return false
    this.#count(one, offset, reason, fault)
    const letter = this.#fault(one, offset, reason, fault)
    this.#letters?.take(one, foundAt(batch), batch.undecodable ? { ...letter, raw: 'record' } : letter)
    return true
  }

  /**
   * As take(), for a batch that cannot be read, or a record too large for any: offsets from `one.consumed` up to `next`, that one excluded.
   * @param bytes of the batch, where it is known how far it goes
   */
  takeBatch(
    one: PartitionIngest,
    next: number,
    attempts: number,
    error: LatchkeyError,
    bytes: Buffer | undefined,
  ): boolean {
    const { partition, consumed } = one
    const fault = messageOf(error)
    const reason = error.code === 'entry_too_large' ? 'skippedTooLarge' : 'skippedCorruptBatch'
    if (this.#halts(one, consumed, fault)) return false
    this.#stats.add(reason, 1)
    const message = `{topic} partition {partition}: offsets {from} to {to} ${this.#what} after {fetches}: {fault}`
    const fetches = attempts === 1 ? '1 fetch' : `${attempts} fetches`
    this.#log('error', `corrupt ${partition}`, message, { partition, from: consumed, to: next - 1, fetches, fault })
    const letter = this.#fault(one, consumed, reason, `offsets ${consumed} to ${next - 1}: ${fault}`)
    this.#letters?.take(one, foundBytes(bytes), { ...letter, raw: 'batch' })
    return true
  }

  /**
   * As take(), for the record of a changelog batch that the broker refuses to store. Others may wait behind it: where the partition halts, what
   * is behind has to be taken back.
   */
  takeRefused(one: PartitionIngest, stored: RecordBatchReader, refusal: string): boolean {
    const offset = stored.sourceOffset()
    const message = `the changelog refuses it: ${refusal}`
    if (this.#halts(one, offset, message)) return false
    this.#count(one, offset, 'skippedTooLarge', message)
    // A tombstone that discards is no record of the source.
    if (offset >= 0) this.#letters?.takeRefused(one, stored, this.#fault(one, offset, 'skippedTooLarge', message))
    return true
  }

  #count({ partition }: PartitionIngest, offset: number, reason: CounterName, fault: string): void {
    this.#stats.add(reason, 1)
    const level = reason === 'skippedTooLarge' ? 'error' : 'warning'
    const message = `{topic} partition {partition} offset {offset}: record ${this.#what}, {fault}`
    this.#log(level, `${reason} ${partition}`, message, { partition, offset, fault })
  }

  #halts(one: PartitionIngest, offset: number, fault: string): boolean {
    if (this.#config.onBadRecord !== 'stop' || offset < 0) return false
    one.halt = { offset, fault }
    return true
  }

  get #what(): string {
    return this.#letters === undefined ? 'skipped' : 'written to {deadLetterTopic}'
  }

  #log(level: 'warning' | 'error', key: string, message: string, properties: Record<string, unknown>): void {
    const { sourceTopic, deadLetterTopic } = this.#config
    const letters = this.#letters === undefined ? {} : { deadLetterTopic }
    this.#repeated.log(level, key, message, { topic: sourceTopic, ...letters, ...properties })
  }

  #fault({ partition }: PartitionIngest, offset: number, reason: CounterName, message: string): Fault {
    return { topic: this.#config.sourceTopic, partition, offset, reason, message }
  }
}
