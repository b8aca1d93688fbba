/**
 * Source records that cannot be stored, whatever the reason: one place that decides what becomes of them, as ON_BAD_RECORD says. Either the
 * partition goes on behind the record, which is counted and told, or it halts there.
 */
import { type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log.ts'
import { type CounterName, type Stats } from '../contract/stats.ts'
import { type StoreConfig } from '../contract/store-config.ts'
import { type PartitionIngest } from './partition-ingest.ts'

const log = loggerOf('ingest')

export class BadRecords {
  readonly #topic: string
  readonly #stats: Stats
  readonly #stops: boolean
  readonly #repeated = new RepeatedLog(log)

  constructor({ sourceTopic, onBadRecord }: Pick<StoreConfig, 'sourceTopic' | 'onBadRecord'>, stats: Stats) {
    this.#topic = sourceTopic
    this.#stats = stats
    this.#stops = onBadRecord === 'stop'
  }

  /**
   * The record that `batch` stands at cannot be stored.
   * @param reason what it is counted under
   * @param fault what is wrong with it, to be read after "record skipped, "
   * @returns whether to go on behind it; false: the partition halts here, and neither this record nor anything after it is consumed
   */
  take(one: PartitionIngest, batch: RecordBatchReader, reason: CounterName, fault: string): boolean {
    const { offset } = batch
    if (this.#stops) return this.#halt(one, offset, fault)
    this.#stats.add(reason, 1)
    const level = reason === 'skippedTooLarge' ? 'error' : 'warning'
    const properties = { topic: this.#topic, partition: one.partition, offset, fault }
    const message = '{topic} partition {partition} offset {offset}: record skipped, {fault}'
    this.#repeated.log(level, `${reason} ${one.partition}`, message, properties)
    return true
  }

  /** As take(), for a batch that cannot be read: offsets from `one.consumed` up to `next`, that one excluded. */
  takeBatch(one: PartitionIngest, next: number, attempts: number, fault: string): boolean {
    const { partition, consumed } = one
    if (this.#stops) return this.#halt(one, consumed, fault)
    this.#stats.add('skippedCorruptBatch', 1)
    const message = '{topic} partition {partition}: offsets {from} to {to} skipped after {attempts} attempts: {fault}'
    const properties = { topic: this.#topic, partition, from: consumed, to: next - 1, attempts, fault }
    this.#repeated.log('error', `corrupt ${partition}`, message, properties)
    return true
  }

  #halt(one: PartitionIngest, offset: number, fault: string): false {
    one.halt = { offset, fault }
    return false
  }
}
