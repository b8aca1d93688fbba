/** What the fetcher knows of a partition, and of a request that is under way. */
import type { EpochTrail } from './epoch-trail.ts'
import type { Timing } from './transfer-log.ts'

export interface FetchState {
  /** Offset of the next Fetch. */
  position: number
  /** Changes with each seek. Responses to requests of an earlier generation are dropped. */
  generation: number
  /**
   * Number of the last Fetch that returned a whole batch. The partition that waited longest comes first in the next
   * request: only the first partition with data gets a batch larger than the limits, and none starves.
   */
  servedBy: number
  /** Leader epochs of the fetched batches, if the owner wants them. */
  epochs: EpochTrail | undefined
}

export interface Outstanding {
  response: Promise<Buffer>
  apiVersion: number
  generations: Map<number, number>
  positions: Map<number, number>
  /** When it was sent, in ms since the epoch. */
  askedAt: number
  /** Only while trace records are logged. */
  timing: Timing | undefined
}
