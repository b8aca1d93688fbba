/** Source records into changelog batches; what cannot be stored is left to BadRecords. */
import { LatchkeyError, messageOf } from '../../errors.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { type FetchedPartition } from '../../kafka/fetch.ts'
import { batchBytesOfOne, type RecordBatchReader, recordOverheadBytesMax } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log.ts'
import { type BatchPool, type ChangelogBatch } from './changelog-batch.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { type BadRecords } from './bad-records.ts'
import { type Stats } from '../contract/stats.ts'
import { type ChangelogLimits } from '../topics/topology.ts'

/** A batch that fails its checks is fetched this often, in case it was damaged on the way, before it is skipped. */
const corruptAttemptsMax = 3
const batchHeaderBytes = 61
/** A clock a little ahead of the broker's must not make a clamped timestamp invalid again. */
const clockMarginMs = 60_000

export class SourceDecoder {
  readonly #topic: string
  readonly #stats: Stats
  readonly #limits: ChangelogLimits
  readonly #pool: BatchPool
  readonly #bad: BadRecords
  readonly #checkCrc: boolean
  readonly #batches = new CommittedBatches()
  readonly #log = new RepeatedLog(loggerOf('ingest'))
  #timestampMin = 0
  #timestampMax = 0

  constructor(topic: string, stats: Stats, limits: ChangelogLimits, pool: BatchPool, bad: BadRecords, checkCrc = true) {
    this.#topic = topic
    this.#stats = stats
    this.#limits = limits
    this.#pool = pool
    this.#bad = bad
    this.#checkCrc = checkCrc
  }

  /**
   * Decodes what was fetched from `one.consumed` on and moves that along, up to a record at which the partition halts (`one.halt`).
   * @returns where to fetch again, if not where the fetched bytes end
   */
  decode(fetched: FetchedPartition, one: PartitionIngest): number | undefined {
    const now = Date.now()
    this.#timestampMin = now - this.#limits.timestampBeforeMaxMs + clockMarginMs
    this.#timestampMax = now + this.#limits.timestampAfterMaxMs - clockMarginMs
    const { batch } = this.#batches
    let inBatch = false
    try {
      this.#batches.open(fetched, one.consumed)
      for (let kind = this.#batches.next(); kind !== undefined; kind = this.#batches.next()) {
        inBatch = true
        if (kind === 'control') this.#stats.add('controlBatches', 1)
        else if (kind === 'aborted') this.#stats.add('abortedRecords', batch.recordCount)
        else if (!this.#takeRecords(one, batch)) return undefined
        one.consumed = batch.nextOffset
        inBatch = false
      }
      return undefined
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
      return this.#corrupt(one, inBatch ? batch.nextOffset : one.consumed + 1, error)
    }
  }

  /** @returns false where the partition halts at one of them */
  #takeRecords(one: PartitionIngest, batch: RecordBatchReader): boolean {
    const from = one.consumed
    let consumed = 0
    batch.openRecords({ checkCrc: this.#checkCrc })
    try {
      while (batch.nextRecord()) {
        if (batch.offset < from) continue
        if (!this.#take(one, batch)) return false
        consumed++
        one.consumed = batch.offset + 1
      }
      this.#stats.add('bytesConsumed', batch.batchBytes)
      return true
    } finally {
      // A batch whose end cannot be read has given the records before that.
      this.#stats.add('recordsConsumed', consumed)
    }
  }

  /** @returns false where the partition halts at this record */
  #take(one: PartitionIngest, batch: RecordBatchReader): boolean {
    if (batch.undecodable) return this.#bad.take(one, batch, 'skippedUndecodable', batch.fault)
    if (batch.keyLength < 0) return this.#bad.take(one, batch, 'skippedNullKey', 'it has no key')
    return this.#append(one, batch)
  }

  #append(one: PartitionIngest, batch: RecordBatchReader): boolean {
    const { data, keyStart, keyLength, valueStart, valueLength, offset } = batch
    let { timestamp } = batch
    if (timestamp > this.#timestampMax || (timestamp < this.#timestampMin && timestamp >= 0))
      timestamp = this.#clamp(one, batch)
    const { maxMessageBytes } = this.#limits
    if (
      keyLength + valueLength + recordOverheadBytesMax + batchHeaderBytes > maxMessageBytes &&
      batchBytesOfOne(keyLength, valueLength, true) > maxMessageBytes
    ) {
      const fault = `with key and value of ${keyLength + valueLength} bytes it exceeds the changelog's max.message.bytes=${maxMessageBytes}`
      return this.#bad.take(one, batch, 'skippedTooLarge', fault)
    }
    one.open ??= this.#pool.take()
    let open: ChangelogBatch = one.open
    const before = open.bytes
    if (open.builder.append(data, keyStart, keyLength, valueStart, valueLength, timestamp, offset)) {
      one.bytes += open.bytes - (open.count === 1 ? 0 : before)
    } else {
      one.full.push(open)
      one.open = open = this.#pool.take()
      open.builder.append(data, keyStart, keyLength, valueStart, valueLength, timestamp, offset)
      one.bytes += open.bytes
    }
    open.nextSource = offset + 1
    return true
  }

  /** The changelog refuses a timestamp too far from its clock; the record matters more than its time. */
  #clamp(one: PartitionIngest, batch: RecordBatchReader): number {
    const { timestamp, offset } = batch
    const clamped = Math.max(Math.min(timestamp, this.#timestampMax), this.#timestampMin)
    this.#stats.add('timestampsClamped', 1)
    const message =
      '{topic} partition {partition} offset {offset}: the changelog would refuse timestamp {timestamp}; {clamped} is written instead'
    const properties = { topic: this.#topic, partition: one.partition, offset, timestamp, clamped }
    this.#log.log('warning', `clamp ${one.partition}`, message, properties)
    return clamped
  }

  #corrupt(one: PartitionIngest, next: number, error: LatchkeyError): number | undefined {
    const { corrupt } = one
    corrupt.attempts = corrupt.offset === one.consumed ? corrupt.attempts + 1 : 1
    corrupt.offset = one.consumed
    if (corrupt.attempts < corruptAttemptsMax) return one.consumed
    if (!this.#bad.takeBatch(one, next, corrupt.attempts, messageOf(error))) return undefined
    one.consumed = next
    return next
  }
}
