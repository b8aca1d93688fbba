/** What a Producer knows of a partition that it writes. */
import type { OutgoingBatch } from './producer-sink.ts'
import type { ProducerIdentity } from './transactional-id.ts'

export interface OwnedPartition<Batch extends OutgoingBatch> {
  identity: ProducerIdentity
  sequence: number
  /** Batches to write before all others: possibly written already, or replacing a refused batch. */
  pending: Batch[]
  /** Offset at which our next batch lands if no other producer writes; -1 if unknown. */
  expectedOffset: number
  /** Offset after the last record that was acknowledged or read. */
  endOffset: number
  /** Set if the identity must be renewed before the next batch. Resolves then, or when the partition is lost. */
  renewDue: PromiseWithResolvers<void> | undefined
  isRenewing: boolean
  /** Number of the last request with this partition. The one that waited longest comes first, so that none starves. */
  writtenBy: number
}
