/** Source records into changelog batches; what cannot be stored is left to BadRecords. */
import { LatchkeyError, messageOf } from '../../errors.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { type FetchedPartition } from '../../kafka/fetch.ts'
import {
  batchBytesOfOne,
  type HeaderBlock,
  type RecordBatchReader,
  recordOverheadBytesMax,
} from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log.ts'
import { backlogBytesMax } from './backlog.ts'
import { type BatchPool, type ChangelogBatch } from './changelog-batch.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { type BadRecords } from './bad-records.ts'
import { type Conversion } from './conversion.ts'
import { type SourceHeaders } from './source-headers.ts'
import { type Stats } from '../../contract/stats.ts'
import { type ChangelogLimits } from '../topics/topology.ts'

/** A batch that fails its checks is fetched this often, in case it was damaged on the way, before it is skipped. */
const corruptAttemptsMax = 3
const batchHeaderBytes = 61
/** A clock a little ahead of the broker's must not make a clamped timestamp invalid again. */
const clockMarginMs = 60_000
/** Larger ones get a larger buffer. */
const convertedBytes = 64 << 10

export interface DecoderOptions {
  checkCrc?: boolean
  /** Without it keys and values pass as they are. */
  conversion?: Conversion | undefined
  /** Which headers go with their records; none by default. */
  headers?: SourceHeaders | undefined
}

export class SourceDecoder {
  readonly #topic: string
  readonly #stats: Stats
  readonly #limits: ChangelogLimits
  readonly #pool: BatchPool
  readonly #bad: BadRecords
  readonly #conversion: Conversion | undefined
  readonly #checkCrc: boolean
  readonly #batches = new CommittedBatches()
  readonly #log = new RepeatedLog(loggerOf('ingest'))
  readonly #sourceHeaders: SourceHeaders | undefined
  #timestampMin = 0
  #timestampMax = 0
  /** Key and converted value of one record. */
  #converted = Buffer.alloc(convertedBytes)
  /** That go with the present record. */
  #headers: HeaderBlock | undefined

  constructor(
    topic: string,
    stats: Stats,
    limits: ChangelogLimits,
    pool: BatchPool,
    bad: BadRecords,
    { checkCrc = true, conversion, headers }: DecoderOptions = {},
  ) {
    this.#topic = topic
    this.#stats = stats
    this.#limits = limits
    this.#pool = pool
    this.#bad = bad
    this.#conversion = conversion
    this.#checkCrc = checkCrc
    this.#sourceHeaders = headers
  }

  /**
   * Decodes what was fetched from `one.consumed` on and moves that along, up to a record at which the partition halts (`one.halt`)
   * or waits (`one.waiting`).
   * @returns where to fetch again, if not where the fetched bytes end: something is to be looked at once more, or a small part of the bytes has
   *   led to more dead letters than there is room for
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
        else if (!this.#takeRecords(one, batch)) return one.letterBytes < backlogBytesMax ? undefined : one.consumed
        one.consumed = batch.nextOffset
        inBatch = false
      }
      return undefined
    } catch (error) {
      if (!(error instanceof LatchkeyError) || error.code !== 'record_batch_corrupt') throw error
      return this.#corrupt(one, inBatch, error)
    }
  }

  /** @returns false where the partition halts or waits at one of them, or there are too many dead letters */
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
        if (one.letterBytes >= backlogBytesMax) return false
      }
      this.#stats.add('bytesConsumed', batch.batchBytes)
      return true
    } finally {
      // A batch whose end cannot be read has given the records before that.
      this.#stats.add('recordsConsumed', consumed)
    }
  }

  /** @returns false where the partition halts or waits at this record */
  #take(one: PartitionIngest, batch: RecordBatchReader): boolean {
    if (batch.undecodable) return this.#bad.take(one, batch, 'skippedUndecodable', batch.fault)
    if (batch.keyLength < 0) return this.#bad.take(one, batch, 'skippedNullKey', 'it has no key')
    this.#headers = this.#sourceHeaders?.of(one.partition, batch)
    if (this.#conversion !== undefined) return this.#convert(one, batch, this.#conversion)
    const { data, keyStart, valueStart, valueLength } = batch
    return this.#append(one, batch, data, keyStart, valueStart, valueLength)
  }

  #convert(one: PartitionIngest, batch: RecordBatchReader, conversion: Conversion): boolean {
    const outcome = conversion.take(one, batch)
    if (outcome === 'left out' || outcome === 'halted') return outcome === 'left out'
    let { data, keyStart, valueStart, valueLength } = batch
    if (outcome === 'converted') {
      const { keyLength } = batch
      const { value } = conversion
      valueLength = value === null ? -1 : value.length
      if (this.#isTooLarge(keyLength, valueLength)) return this.#refuse(one, batch, valueLength)
      const bytes = keyLength + Math.max(valueLength, 0)
      if (bytes > this.#converted.length) this.#converted = Buffer.alloc(2 * bytes)
      data.copy(this.#converted, 0, keyStart, keyStart + keyLength)
      if (value !== null) this.#converted.set(value, keyLength)
      data = this.#converted
      keyStart = 0
      valueStart = keyLength
    } else if (this.#isTooLarge(batch.keyLength, valueLength)) return this.#refuse(one, batch, valueLength)
    this.#append(one, batch, data, keyStart, valueStart, valueLength)
    conversion.wrote(one, batch, outcome)
    return true
  }

  /** @param source has the key and the value that are to be stored */
  #append(
    one: PartitionIngest,
    batch: RecordBatchReader,
    source: Buffer,
    keyStart: number,
    valueStart: number,
    valueLength: number,
  ): boolean {
    const { keyLength, offset } = batch
    let { timestamp } = batch
    if (timestamp > this.#timestampMax || (timestamp < this.#timestampMin && timestamp >= 0))
      timestamp = this.#clamp(one, batch)
    if (this.#isTooLarge(keyLength, valueLength)) return this.#refuse(one, batch, valueLength)
    one.open ??= this.#pool.take()
    let open: ChangelogBatch = one.open
    const before = open.bytes
    if (open.builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, this.#headers)) {
      one.bytes += open.bytes - (open.count === 1 ? 0 : before)
    } else {
      one.full.push(open)
      one.open = open = this.#pool.take()
      open.builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, this.#headers)
      one.bytes += open.bytes
    }
    open.nextSource = offset + 1
    return true
  }

  #isTooLarge(keyLength: number, valueLength: number): boolean {
    const { maxMessageBytes } = this.#limits
    const headersLength = this.#headers === undefined ? 0 : this.#headers.length
    return (
      keyLength + valueLength + headersLength + recordOverheadBytesMax + batchHeaderBytes > maxMessageBytes &&
      batchBytesOfOne(keyLength, valueLength, true, this.#headers) > maxMessageBytes
    )
  }

  #refuse(one: PartitionIngest, batch: RecordBatchReader, valueLength: number): boolean {
    const bytes = batch.keyLength + valueLength + (this.#headers?.length ?? 0)
    const what = this.#headers === undefined ? 'key and value' : 'key, value and kept headers'
    const fault = `with ${what} of ${bytes} bytes it exceeds the changelog's max.message.bytes=${this.#limits.maxMessageBytes}`
    return this.#bad.take(one, batch, 'skippedTooLarge', fault)
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

  /** @param inBatch whether its header could be read */
  #corrupt(one: PartitionIngest, inBatch: boolean, error: LatchkeyError): number | undefined {
    const next = inBatch ? this.#batches.batch.nextOffset : one.consumed + 1
    const { corrupt } = one
    corrupt.attempts = corrupt.offset === one.consumed ? corrupt.attempts + 1 : 1
    corrupt.offset = one.consumed
    if (corrupt.attempts < corruptAttemptsMax) return one.consumed
    const bytes = inBatch ? this.#batches.batch.rawBatch() : undefined
    if (!this.#bad.takeBatch(one, next, corrupt.attempts, messageOf(error), bytes)) return undefined
    one.consumed = next
    return next
  }
}
