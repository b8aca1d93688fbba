/** Source of the batches that a Producer writes, and receiver of the results. */
import type { LatchkeyError } from '../errors.ts'
import type { ProducerIdentity } from './transactional-id.ts'

export interface OutgoingBatch {
  readonly count: number
  seal(producer: ProducerIdentity & { baseSequence: number }): Buffer
}

/** Range of offsets, `to` excluded. */
export interface OffsetRange {
  from: number
  to: number
}

export interface ProducerSink<Batch extends OutgoingBatch> {
  /** Returns the partition's next batch; undefined if there is none now. Call wake() when there is one. */
  next(partition: number): Batch | undefined
  /** Called before each request is built. */
  beforeRequest?(): void
  /**
   * Called when a batch was written. `foreign`: offsets between our last batch and this one. Other producers wrote
   * them, unless they hold only the marker of a renewal.
   */
  acknowledged(partition: number, batch: Batch, baseOffset: number, foreign: OffsetRange | undefined): void
  /** Whether to send nothing of this partition now, not even a replacement. Call wake() when that ends. */
  holds?(partition: number): boolean
  /**
   * Called when the broker does not accept this batch as it is.
   * @returns batches to write in its place, in order; may be empty
   */
  refused(partition: number, batch: Batch, error: LatchkeyError): Batch[]
  /**
   * Returns another identity, after the broker has forgotten our producer id or refused its epoch. Rejects with
   * `fenced` if another owner has the partition. Undefined if this has to wait: next() then returns nothing until own()
   * is called again.
   */
  renew(partition: number, held: ProducerIdentity): Promise<ProducerIdentity | undefined>
  /**
   * Called when a batch landed before the known end of the partition, so the log has lost records or is another one.
   * acknowledged() and then renew() follow.
   */
  wentBack(partition: number, baseOffset: number): void
  /**
   * Called when another owner has taken the partition. The producer writes nothing more to it.
   * @param end offset after the last record of the partition that was acknowledged, or read
   */
  lost(partition: number, error: LatchkeyError, end: number): void
}

/** End of a partition when it was taken. */
export interface PartitionEnd {
  offset: number
  /** Whether no other producer can have written since. */
  isSure: boolean
}

export interface ProducerOptions {
  acks: number
  /** How long the broker may wait for the replicas. */
  timeoutMs: number
  /** Size of one request, over all partitions. The first batch is always sent. */
  maxRequestBytes: number
}
