/** What a Fetcher gives what it fetches to. */
import { type FetchedPartition } from './protocol/fetch.ts'
import { type LatchkeyError } from '../errors.ts'

export interface FetchSink {
  /** Once received() has returned nothing of the response is looked at again, so that its memory can go at once. */
  readonly keepsNothing?: boolean
  /**
   * Takes, at once, what came of one partition from `position` on. A throw ends the fetcher, but for a batch that is damaged, which is fetched again, and one that
   * isOversized(), which comes again in pieces: what was taken before is to be passed over.
   * @returns where to fetch again, where that is not behind what came
   */
  received(fetched: FetchedPartition, position: number): number | undefined | void
  /** Up to where received() has taken what came, also where it has thrown. Absent: all that came before has to be taken again with a batch that is damaged. */
  takenTo?(partition: number): number
  /**
   * The batch that received() has just stopped at is damaged in the log, or has come damaged so many times. Where to go on, or undefined to go on nowhere; a throw ends
   * the fetcher. Absent: `fault` ends it.
   */
  damaged?(partition: number, fault: LatchkeyError, times: number): number | undefined
  /** Passes over all before `next`: a record too large for any batch, or the rest of an oversized batch that is corrupt. A throw ends the fetcher. */
  passOver(partition: number, next: number, fault: LatchkeyError): void
  /** Resolves when there is room for another response. */
  room(): Promise<void> | undefined
  /** The position is not in the log (truncated, or its start has passed it): where to go on, or undefined to leave the partition. */
  outOfRange(partition: number, position: number): Promise<number | undefined>
  /** What comes from here on was appended in another leader epoch than what came before. */
  epochBegan?(partition: number): void
}
