/** What a producer is given to write, and what it says about it. */
import { type ProducerIdentity } from './transactional-id.ts'
import { type LatchkeyError } from '../errors.ts'

export interface OutgoingBatch {
  readonly count: number
  seal(producer: ProducerIdentity & { baseSequence: number }): Buffer
}

/** From an offset to another, that one excluded. */
export interface OffsetRange {
  from: number
  to: number
}

export interface ProducerSink<Batch extends OutgoingBatch> {
  /** The partition's next batch; undefined if there is none now (wake() tells of one). */
  next(partition: number): Batch | undefined
  /** Called before each request is made up. */
  beforeRequest?(): void
  /** `foreign`: offsets between our last batch and this one that are not ours, unless the marker of a renewal is all that lies there. */
  acknowledged(partition: number, batch: Batch, baseOffset: number, foreign: OffsetRange | undefined): void
  /** Whether nothing of this partition is to be sent now, not even what replaces a refused batch; wake() tells of an end to that. */
  holds?(partition: number): boolean
  /** The broker will not take this batch as it is: what to write in its place, in order; perhaps nothing. */
  refused(partition: number, batch: Batch, error: LatchkeyError): Batch[]
  /**
   * The broker has forgotten our producer id, or refuses its epoch: another one. Rejects with `fenced` where the partition is someone else's now. Undefined where that has to
   * wait: next() gives nothing until own() is called again.
   */
  renew(partition: number, held: ProducerIdentity): Promise<ProducerIdentity | undefined>
  /** The batch landed below what was written already: it is not the same log any more. acknowledged(), then renew() follow. */
  wentBack(partition: number, baseOffset: number): void
  /** Another owner has taken the partition; nothing more is written to it. */
  lost(partition: number, error: LatchkeyError): void
}

/** Where a partition ended when it was taken. */
export interface PartitionEnd {
  offset: number
  /** Whether nobody else can have written since. */
  isSure: boolean
}

export interface ProducerOptions {
  acks: number
  /** How long the broker may wait for the replicas. */
  timeoutMs: number
  /** Of one request, over all partitions; the first batch always goes. */
  maxRequestBytes: number
}
