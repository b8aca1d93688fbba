/** Encodes source records into changelog batches. Records that cannot be stored go to BadRecords. */
import type { LatchkeyError } from '../../errors.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import type { FetchedPartition } from '../../kafka/protocol/fetch.ts'
import type { HeaderBlock, RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import type { Stats } from '../../store-protocol/stats.ts'
import type { ChangelogLimits } from '../../topics/changelog-topic.ts'
import { backlogBytesMax } from './backlog.ts'
import type { BadRecords } from './bad-records.ts'
import type { BatchPool } from './changelog-batch.ts'
import type { Conversion } from './conversion.ts'
import type { PartitionIngest } from './partition-ingest.ts'
import { SizeLimit } from './size-limit.ts'
import type { SourceHeaders } from './source-headers.ts'

/** Margin for a clock that is ahead of the broker's, so that a clamped timestamp is still valid. */
const clockMarginMs = 60_000
/** Initial buffer size for converted records; larger records enlarge the buffer. */
const convertedBytes = 64 << 10
/** A larger record gets its own buffer, which is not kept. */
const convertedBytesKept = 4 << 20

export interface DecoderOptions {
  checkCrc?: boolean
  /** Undefined if keys and values are stored unchanged. */
  conversion?: Conversion | undefined
  /** Selects the headers to keep; none by default. */
  headers?: SourceHeaders | undefined
  /** Maximum size of a record that is compressed to fit the changelog. */
  compressibleBytesMax?: number
}

export class SourceDecoder {
  readonly #topic: string
  readonly #stats: Stats
  readonly #limits: ChangelogLimits
  readonly #bad: BadRecords
  readonly #conversion: Conversion | undefined
  readonly #checkCrc: boolean
  readonly #batches = new CommittedBatches()
  /** Whether the decoder is in a batch whose header could be read. */
  #isInBatch = false
  readonly #log = new RepeatedLog(loggerOf('ingest'))
  readonly #sourceHeaders: SourceHeaders | undefined
  readonly #size: SizeLimit
  #timestampMin = 0
  #timestampMax = 0
  /** Buffer for key and converted value of one record. */
  #converted = Buffer.alloc(convertedBytes)
  /** Kept headers of the current record. */
  #headers: HeaderBlock | undefined

  constructor(
    topic: string,
    stats: Stats,
    limits: ChangelogLimits,
    pool: BatchPool,
    bad: BadRecords,
    { checkCrc = true, conversion, headers, compressibleBytesMax }: DecoderOptions = {},
  ) {
    this.#topic = topic
    this.#stats = stats
    this.#limits = limits
    this.#bad = bad
    this.#conversion = conversion
    this.#checkCrc = checkCrc
    this.#sourceHeaders = headers
    this.#size = new SizeLimit(limits, pool, compressibleBytesMax)
  }

  /**
   * Decodes fetched records from `state.consumed` on and moves `state.consumed` on, up to a record at which the partition
   * halts (`state.reading`) or waits.
   * @param bytesMax of batches to decompress, including the one that exceeds it
   * @returns the offset to fetch from next; undefined for the end of the fetched bytes. It is lower if the records so
   *   far have decompressed to enough bytes or led to enough dead letters
   * @throws LatchkeyError record_batch_corrupt, which may be isOversized(), for a batch that must be fetched again or
   *   read in pieces; the records before it have been taken
   */
  decode(fetched: FetchedPartition, state: PartitionIngest, bytesMax?: number): number | undefined {
    const now = Date.now()
    this.#timestampMin = now - this.#limits.timestampBeforeMaxMs + clockMarginMs
    this.#timestampMax = now + this.#limits.timestampAfterMaxMs - clockMarginMs
    const { batch } = this.#batches
    this.#isInBatch = false
    this.#batches.open(fetched, state.consumed, bytesMax)
    for (let kind = this.#batches.next(); kind !== undefined; kind = this.#batches.next()) {
      this.#isInBatch = true
      if (kind === 'control') this.#stats.add('controlBatches', 1)
      else if (kind === 'aborted') this.#stats.add('abortedRecords', batch.recordCount)
      else if (!this.#takeRecords(state, batch)) {
        return state.deadLetters.bytes < backlogBytesMax ? undefined : state.consumed
      }
      state.consumeTo(batch.nextOffset)
      this.#isInBatch = false
    }
    return this.#batches.isEnough ? state.consumed : undefined
  }

  /** @returns false if the partition halts or waits at a record, or there are too many dead letters */
  #takeRecords(state: PartitionIngest, batch: RecordBatchReader): boolean {
    const from = state.consumed
    let consumed = 0
    batch.openRecords({ checkCrc: this.#checkCrc })
    try {
      while (batch.nextRecord()) {
        if (batch.offset < from) continue
        if (!this.#take(state, batch)) return false
        consumed++
        state.consumeTo(batch.offset + 1)
        if (state.deadLetters.bytes >= backlogBytesMax) return false
      }
      this.#stats.add('bytesConsumed', batch.batchBytes)
      return true
    } finally {
      // If the end of a batch cannot be read, the records before it have been taken.
      this.#stats.add('recordsConsumed', consumed)
    }
  }

  /** @returns false if the partition halts or waits at this record */
  #take(state: PartitionIngest, batch: RecordBatchReader): boolean {
    if (state.reread?.passesOver(batch) === true) return true
    if (batch.undecodable) return this.#bad.handleRecord(state, batch, 'skippedUndecodable', batch.fault)
    if (batch.keyLength < 0) return this.#bad.handleRecord(state, batch, 'skippedNullKey', 'it has no key')
    this.#headers = this.#sourceHeaders?.of(state.partition, batch)
    if (this.#conversion !== undefined) return this.#convert(state, batch, this.#conversion)
    const { data, keyStart, valueStart, valueLength } = batch
    return (
      this.#append(state, batch, data, keyStart, valueStart, valueLength) || this.#refuse(state, batch, valueLength)
    )
  }

  #convert(state: PartitionIngest, batch: RecordBatchReader, conversion: Conversion): boolean {
    const outcome = conversion.convertRecord(state, batch)
    if (outcome === 'left out' || outcome === 'halted') return outcome === 'left out'
    let { data, keyStart, valueStart, valueLength } = batch
    if (outcome === 'converted') {
      const { keyLength } = batch
      const { value } = conversion
      valueLength = value === null ? -1 : value.length
      const bytes = keyLength + Math.max(valueLength, 0)
      if (this.#size.isHopeless(keyLength, valueLength, this.#headers)) return this.#refuse(state, batch, valueLength)
      const target = this.#roomFor(bytes)
      data.copy(target, 0, keyStart, keyStart + keyLength)
      if (value !== null) target.set(value, keyLength)
      data = target
      keyStart = 0
      valueStart = keyLength
    }
    if (!this.#append(state, batch, data, keyStart, valueStart, valueLength)) {
      return this.#refuse(state, batch, valueLength)
    }
    conversion.wrote(state, batch, outcome)
    return true
  }

  #roomFor(bytes: number): Buffer {
    if (bytes > convertedBytesKept) return Buffer.allocUnsafeSlow(bytes)
    if (bytes > this.#converted.length) this.#converted = Buffer.alloc(2 * bytes)
    return this.#converted
  }

  /**
   * @param source buffer with the key and the value to store
   * @returns false if the record exceeds the changelog's limit, even compressed
   */
  #append(
    state: PartitionIngest,
    batch: RecordBatchReader,
    source: Buffer,
    keyStart: number,
    valueStart: number,
    valueLength: number,
  ): boolean {
    const { keyLength, offset } = batch
    let { timestamp } = batch
    if (timestamp > this.#timestampMax || (timestamp < this.#timestampMin && timestamp >= 0)) {
      timestamp = this.#clamp(state, batch)
    }
    const headers = this.#headers
    if (valueLength >= 0) state.strangerHold?.meets(source, keyStart, keyLength)
    if (this.#size.isExceeded(keyLength, valueLength, headers)) {
      const alone = this.#size.compressed(batch, source, keyStart, valueStart, valueLength, timestamp, headers)
      if (alone !== undefined) state.queue.push(alone)
      return alone !== undefined
    }
    state.queue.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, offset + 1, headers)
    return true
  }

  #refuse(state: PartitionIngest, batch: RecordBatchReader, valueLength: number): boolean {
    const fault = this.#size.fault(batch.keyLength, valueLength, this.#headers)
    return this.#bad.handleRecord(state, batch, 'skippedTooLarge', fault)
  }

  /** Replaces a timestamp that the changelog would refuse. Storing the record is more important than its exact time. */
  #clamp(state: PartitionIngest, batch: RecordBatchReader): number {
    const { timestamp, offset } = batch
    const clamped = Math.max(Math.min(timestamp, this.#timestampMax), this.#timestampMin)
    this.#stats.add('timestampsClamped', 1)
    const message =
      '{topic} partition {partition} offset {offset}: the changelog would refuse timestamp {timestamp}; {clamped} is written instead'
    const properties = { topic: this.#topic, partition: state.partition, offset, timestamp, clamped }
    this.#log.log('warning', `clamp ${state.partition}`, message, properties)
    return clamped
  }

  /**
   * Skips the batch at which decode() has just stopped, because it stays damaged.
   * @returns the offset to continue at; undefined if the partition halts there
   */
  skipDamaged(state: PartitionIngest, error: LatchkeyError, times: number): number | undefined {
    const { batch } = this.#batches
    const next = this.#isInBatch ? batch.nextOffset : state.consumed + 1
    const bytes = this.#isInBatch ? batch.rawBatch() : undefined
    return this.skipTo(state, next, error, times, bytes) ? next : undefined
  }

  /**
   * Skips offsets up to `next`, exclusive, which cannot be read.
   * @returns false if the partition halts there
   */
  skipTo(state: PartitionIngest, next: number, error: LatchkeyError, attempts = 1, bytes?: Buffer): boolean {
    if (!this.#bad.handleBatch(state, next, attempts, error, bytes)) return false
    state.consumeTo(next)
    return true
  }
}
