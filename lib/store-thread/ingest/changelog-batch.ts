/** A record batch on its way to the changelog, with what has to be known when it is acknowledged. Reused from a pool. */
import {
  type BuilderOptions,
  type Compression,
  type ProducerState,
  RecordBatchBuilder,
  type RecordBatchReader,
} from '../../kafka/record-batch/index.ts'

/** The smallest of what all brokers read that Latchkey works with. */
const zstd: Compression = 4

export class ChangelogBatch {
  readonly builder: RecordBatchBuilder
  /** What was sealed last, uncompressed: what was acknowledged is what goes into memory. */
  sealed: Buffer | undefined
  /** Size of what was sealed last, as it goes over the network. */
  sentBytes = 0
  /** Source offset to go on from once this batch is written. */
  nextSource = 0
  /** Records among its own that a program has written itself. */
  directWrites = 0
  /** Its timestamps are no longer those of the source: the broker refused them. */
  isRetimed = false
  /** It amends the changelog: see amendment.ts. */
  isAmendment = false
  readonly isCompressed: boolean

  constructor(maxBytes: number, options?: BuilderOptions) {
    this.builder = new RecordBatchBuilder(maxBytes, options)
    this.isCompressed = (options?.compression ?? 0) !== 0
  }

  get count(): number {
    return this.builder.count
  }

  get bytes(): number {
    return this.builder.bytes
  }

  seal(producer: ProducerState): Buffer {
    const sent = this.builder.seal(producer)
    this.sealed = this.builder.plain()
    this.sentBytes = sent.length
    return sent
  }

  /** Opens what was sealed last in a reader, which then stands before the first record. */
  openIn(reader: RecordBatchReader): RecordBatchReader {
    const sealed = this.sealed!
    reader.open(sealed, 0, sealed.length)
    reader.nextBatch()
    reader.openRecords({ checkCrc: false })
    return reader
  }

  reset(): void {
    this.builder.reset()
    this.sealed = undefined
    this.nextSource = 0
    this.directWrites = 0
    this.isRetimed = false
    this.isAmendment = false
  }
}

/** Keeps batches that are done with, up to a bound, so that ingest allocates no buffer while it runs. */
export class BatchPool {
  readonly #maxBytes: number
  readonly #idleMax: number
  readonly #options: BuilderOptions | undefined
  readonly #idle: ChangelogBatch[] = []

  constructor(maxBytes: number, idleMax: number, options?: BuilderOptions) {
    this.#maxBytes = maxBytes
    this.#idleMax = idleMax
    this.#options = options
  }

  take(): ChangelogBatch {
    return this.#idle.pop() ?? new ChangelogBatch(this.#maxBytes, this.#options)
  }

  /** For one record that exceeds the changelog's limit as it is: compressed, also where the changelog is not written so. */
  takeCompressed(): ChangelogBatch {
    const { compression = 0, level = null } = this.#options ?? {}
    return new ChangelogBatch(0, { recordsMax: 1, level, compression: compression === 0 ? zstd : compression })
  }

  give(batch: ChangelogBatch): void {
    batch.reset()
    const isOfPool = batch.isCompressed === ((this.#options?.compression ?? 0) !== 0)
    if (isOfPool && this.#idle.length < this.#idleMax) this.#idle.push(batch)
  }
}
