/** Receiver of the data that a Fetcher fetches. */
import type { LatchkeyError } from '../errors.ts'
import type { FetchedPartition } from './protocol/fetch.ts'

export interface FetchSink {
  /** Whether the sink reads nothing of a response after received(). The fetcher then frees its memory at once. */
  readonly keepsNothing?: boolean
  /**
   * Takes the batches of one partition from `position` on, synchronously. A throw ends the fetcher, with two
   * exceptions: a damaged batch is fetched again, and a batch that isOversized() arrives again in pieces. The sink then
   * skips the records that it has already taken.
   * @param askedAt when the response was asked for, in ms since the epoch: what it says of the log may be as old; undefined
   *   for pieces of a batch
   * @returns the next offset to fetch from, if it is not the end of the batches
   */
  received(fetched: FetchedPartition, position: number, askedAt?: number): number | undefined | void
  /**
   * Returns the offset up to which received() has taken records, also after a throw. If absent, all batches before a
   * damaged one must be taken again with it.
   */
  takenTo?(partition: number): number
  /**
   * Handles the batch at which received() stopped: it is damaged in the log, or has arrived damaged `times` times. A
   * throw ends the fetcher. If absent, `fault` ends it.
   * @returns offset to continue from; undefined if the partition is not fetched any more
   */
  damaged?(partition: number, fault: LatchkeyError, times: number): number | undefined
  /**
   * Skips all offsets before `next`: a record too large for any batch (`entry_too_large`), or the corrupt rest of an
   * oversized batch. A throw ends the fetcher.
   * @param key of the record that is too large, if it is known
   */
  passOver(partition: number, next: number, fault: LatchkeyError, key?: Buffer): void
  /** Returns a promise that resolves when there is room for another response; undefined if there is room now. */
  room(): Promise<void> | undefined
  /**
   * Handles a position that is not in the log (truncated, or before the log start).
   * @returns offset to continue from; undefined to remove the partition
   */
  outOfRange(partition: number, position: number): Promise<number | undefined>
  /** Called when the following batches were appended in another leader epoch than those before. */
  epochBegan?(partition: number): void
}
