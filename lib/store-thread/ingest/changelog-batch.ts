/** A record batch for the changelog, with the state that its acknowledgement needs. Reused from a pool. */
import {
  type BuilderOptions,
  type Compression,
  type ProducerState,
  RecordBatchBuilder,
  type RecordBatchReader,
} from '../../kafka/record-batch/index.ts'

/** The compression with the smallest result that all supported brokers read. */
const zstd: Compression = 4

export class ChangelogBatch {
  readonly builder: RecordBatchBuilder
  readonly isCompressed: boolean
  /** The batch sealed last, uncompressed. These bytes are applied to the map after the acknowledgement. */
  #sealed: Buffer | undefined
  #sentBytes = 0
  #nextSource = 0
  #directWrites = 0
  #isRetimed = false
  #isAmendment = false

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

  /** Size of the batch sealed last, as sent over the network. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** Next source offset after this batch. */
  get nextSource(): number {
    return this.#nextSource
  }

  /** Number of its records that a program wrote. */
  get directWrites(): number {
    return this.#directWrites
  }

  /** Whether its timestamps differ from the source's, because the broker refused them. */
  get isRetimed(): boolean {
    return this.#isRetimed
  }

  /** Whether it is an amendment of the changelog: see amendment.ts. */
  get isAmendment(): boolean {
    return this.#isAmendment
  }

  /** Sets the next source offset after this batch. */
  coverTo(nextSource: number): void {
    this.#nextSource = nextSource
  }

  /** Notes that a program wrote the record appended last. */
  countDirectWrite(): void {
    this.#directWrites++
  }

  markRetimed(): void {
    this.#isRetimed = true
  }

  markAmendment(): void {
    this.#isAmendment = true
  }

  seal(producer: ProducerState): Buffer {
    const sent = this.builder.seal(producer)
    this.#sealed = this.builder.plain()
    this.#sentBytes = sent.length
    return sent
  }

  /** Opens the batch sealed last in a reader, positioned before the first record. */
  openIn(reader: RecordBatchReader): RecordBatchReader {
    const sealed = this.#sealed!
    reader.open(sealed, 0, sealed.length)
    reader.nextBatch()
    reader.openRecords({ checkCrc: false })
    return reader
  }

  reset(): void {
    this.builder.reset()
    this.#sealed = undefined
    this.#nextSource = 0
    this.#directWrites = 0
    this.#isRetimed = false
    this.#isAmendment = false
  }
}

/** Keeps unused batches, up to a bound, so that ingest allocates no buffers while it runs. */
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

  acquire(): ChangelogBatch {
    return this.#idle.pop() ?? new ChangelogBatch(this.#maxBytes, this.#options)
  }

  /**
   * Returns a batch for one record that exceeds the changelog's limit uncompressed. It is compressed even if the
   * changelog's other batches are not.
   */
  acquireCompressed(): ChangelogBatch {
    const { compression = 0, level = null } = this.#options ?? {}
    return new ChangelogBatch(0, { recordsMax: 1, level, compression: compression === 0 ? zstd : compression })
  }

  release(batch: ChangelogBatch): void {
    batch.reset()
    const isOfPool = batch.isCompressed === ((this.#options?.compression ?? 0) !== 0)
    if (isOfPool && this.#idle.length < this.#idleMax) this.#idle.push(batch)
  }
}
