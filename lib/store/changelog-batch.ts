/** A record batch on its way to the changelog, with what has to be known when it is acknowledged. Reused from a pool. */
import { type ProducerState, RecordBatchBuilder } from '../kafka/record-batch/index.ts'

export class ChangelogBatch {
  readonly builder: RecordBatchBuilder
  /** The bytes last sealed: what was acknowledged is what goes into memory. */
  sealed: Buffer | undefined
  /** Source offset to go on from once this batch is written. */
  nextSource = 0
  /** Its timestamps are no longer those of the source: the broker refused them. */
  isRetimed = false

  constructor(maxBytes: number) {
    this.builder = new RecordBatchBuilder(maxBytes)
  }

  get count(): number {
    return this.builder.count
  }

  get bytes(): number {
    return this.builder.bytes
  }

  seal(producer: ProducerState): Buffer {
    this.sealed = this.builder.seal(producer)
    return this.sealed
  }

  reset(): void {
    this.builder.reset()
    this.sealed = undefined
    this.nextSource = 0
    this.isRetimed = false
  }
}

/** Keeps batches that are done with, up to a bound, so that ingest allocates no buffer while it runs. */
export class BatchPool {
  readonly #maxBytes: number
  readonly #idleMax: number
  readonly #idle: ChangelogBatch[] = []

  constructor(maxBytes: number, idleMax: number) {
    this.#maxBytes = maxBytes
    this.#idleMax = idleMax
  }

  take(): ChangelogBatch {
    return this.#idle.pop() ?? new ChangelogBatch(this.#maxBytes)
  }

  give(batch: ChangelogBatch): void {
    batch.reset()
    if (this.#idle.length < this.#idleMax) this.#idle.push(batch)
  }
}
