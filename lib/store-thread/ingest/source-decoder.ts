/** Source records into changelog batches; what cannot be stored is left to BadRecords. */
import { type LatchkeyError } from '../../errors.ts'
import { CommittedBatches } from '../../kafka/committed-batches.ts'
import { type FetchedPartition } from '../../kafka/protocol/fetch.ts'
import { type HeaderBlock, type RecordBatchReader } from '../../kafka/record-batch/index.ts'
import { loggerOf, RepeatedLog } from '../../log/index.ts'
import { backlogBytesMax } from './backlog.ts'
import { type BatchPool, type ChangelogBatch } from './changelog-batch.ts'
import { type PartitionIngest } from './partition-ingest.ts'
import { type BadRecords } from './bad-records.ts'
import { type Conversion } from './conversion.ts'
import { SizeLimit } from './size-limit.ts'
import { type SourceHeaders } from './source-headers.ts'
import { type Stats } from '../../store-protocol/stats.ts'
import { type ChangelogLimits } from '../../topics/changelog-topic.ts'

/** A clock a little ahead of the broker's must not make a clamped timestamp invalid again. */
const clockMarginMs = 60_000
/** Larger ones get a larger buffer. */
const convertedBytes = 64 << 10
/** A record beyond that gets a buffer for itself. */
const convertedBytesKept = 4 << 20

export interface DecoderOptions {
  checkCrc?: boolean
  /** Without it keys and values pass as they are. */
  conversion?: Conversion | undefined
  /** Which headers go with their records; none by default. */
  headers?: SourceHeaders | undefined
  /** The largest record that is compressed to fit the changelog. */
  compressibleBytesMax?: number
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
  /** It stands at a batch whose header could be read. */
  #isInBatch = false
  readonly #log = new RepeatedLog(loggerOf('ingest'))
  readonly #sourceHeaders: SourceHeaders | undefined
  readonly #size: SizeLimit
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
    { checkCrc = true, conversion, headers, compressibleBytesMax }: DecoderOptions = {},
  ) {
    this.#topic = topic
    this.#stats = stats
    this.#limits = limits
    this.#pool = pool
    this.#bad = bad
    this.#conversion = conversion
    this.#checkCrc = checkCrc
    this.#sourceHeaders = headers
    this.#size = new SizeLimit(limits, pool, compressibleBytesMax)
  }

  /**
   * Decodes what was fetched from `one.consumed` on and moves that along, up to a record at which the partition halts (`one.halt`)
   * or waits (`one.waiting`).
   * @returns where to fetch again, if not where the fetched bytes end: a small part of the bytes is enough for now, for what it decompresses to or the
   *   dead letters that it leads to
   * @throws LatchkeyError record_batch_corrupt, which may be isOversized(), for a batch that is to be fetched again or read in pieces; what is before it has been
   *   taken
   */
  decode(fetched: FetchedPartition, one: PartitionIngest): number | undefined {
    const now = Date.now()
    this.#timestampMin = now - this.#limits.timestampBeforeMaxMs + clockMarginMs
    this.#timestampMax = now + this.#limits.timestampAfterMaxMs - clockMarginMs
    const { batch } = this.#batches
    this.#isInBatch = false
    this.#batches.open(fetched, one.consumed)
    for (let kind = this.#batches.next(); kind !== undefined; kind = this.#batches.next()) {
      this.#isInBatch = true
      if (kind === 'control') this.#stats.add('controlBatches', 1)
      else if (kind === 'aborted') this.#stats.add('abortedRecords', batch.recordCount)
      else if (!this.#takeRecords(one, batch)) return one.letterBytes < backlogBytesMax ? undefined : one.consumed
      one.consumed = batch.nextOffset
      this.#isInBatch = false
    }
    return this.#batches.isEnough ? one.consumed : undefined
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
    if (one.reread?.passesOver(batch) === true) return true
    if (batch.undecodable) return this.#bad.take(one, batch, 'skippedUndecodable', batch.fault)
    if (batch.keyLength < 0) return this.#bad.take(one, batch, 'skippedNullKey', 'it has no key')
    this.#headers = this.#sourceHeaders?.of(one.partition, batch)
    if (this.#conversion !== undefined) return this.#convert(one, batch, this.#conversion)
    const { data, keyStart, valueStart, valueLength } = batch
    return this.#append(one, batch, data, keyStart, valueStart, valueLength) || this.#refuse(one, batch, valueLength)
  }

  #convert(one: PartitionIngest, batch: RecordBatchReader, conversion: Conversion): boolean {
    const outcome = conversion.take(one, batch)
    if (outcome === 'left out' || outcome === 'halted') return outcome === 'left out'
    let { data, keyStart, valueStart, valueLength } = batch
    if (outcome === 'converted') {
      const { keyLength } = batch
      const { value } = conversion
      valueLength = value === null ? -1 : value.length
      const bytes = keyLength + Math.max(valueLength, 0)
      if (this.#size.isHopeless(keyLength, valueLength, this.#headers)) return this.#refuse(one, batch, valueLength)
      const target = this.#roomFor(bytes)
      data.copy(target, 0, keyStart, keyStart + keyLength)
      if (value !== null) target.set(value, keyLength)
      data = target
      keyStart = 0
      valueStart = keyLength
    }
    if (!this.#append(one, batch, data, keyStart, valueStart, valueLength)) return this.#refuse(one, batch, valueLength)
    conversion.wrote(one, batch, outcome)
    return true
  }

  #roomFor(bytes: number): Buffer {
    if (bytes > convertedBytesKept) return Buffer.allocUnsafeSlow(bytes)
    if (bytes > this.#converted.length) this.#converted = Buffer.alloc(2 * bytes)
    return this.#converted
  }

  /**
   * @param source has the key and the value that are to be stored
   * @returns false where the changelog takes no record of that size, compressed neither
   */
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
    const headers = this.#headers
    if (this.#size.isExceeded(keyLength, valueLength, headers)) {
      const alone = this.#size.compressed(batch, source, keyStart, valueStart, valueLength, timestamp, headers)
      if (alone !== undefined) one.pushAlone(alone)
      return alone !== undefined
    }
    one.open ??= this.#pool.take()
    let open: ChangelogBatch = one.open
    const before = open.bytes
    if (open.builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, headers)) {
      one.bytes += open.bytes - (open.count === 1 ? 0 : before)
    } else {
      one.full.push(open)
      one.open = open = this.#pool.take()
      open.builder.append(source, keyStart, keyLength, valueStart, valueLength, timestamp, offset, headers)
      one.bytes += open.bytes
    }
    open.nextSource = offset + 1
    return true
  }

  #refuse(one: PartitionIngest, batch: RecordBatchReader, valueLength: number): boolean {
    const fault = this.#size.fault(batch.keyLength, valueLength, this.#headers)
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

  /**
   * The batch that decode() has just stopped at is damaged for good.
   * @returns where to go on; undefined where the partition halts there
   */
  passOverDamaged(one: PartitionIngest, error: LatchkeyError, times: number): number | undefined {
    const { batch } = this.#batches
    const next = this.#isInBatch ? batch.nextOffset : one.consumed + 1
    const bytes = this.#isInBatch ? batch.rawBatch() : undefined
    return this.passOver(one, next, error, times, bytes) ? next : undefined
  }

  /**
   * Offsets up to `next` cannot be read, that one excluded.
   * @returns false where the partition halts there
   */
  passOver(one: PartitionIngest, next: number, error: LatchkeyError, attempts = 1, bytes?: Buffer): boolean {
    if (!this.#bad.takeBatch(one, next, attempts, error, bytes)) return false
    one.consumed = next
    return true
  }
}
