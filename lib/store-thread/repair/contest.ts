/** What is known of other writers to one partition. */
import type { OffsetRange } from '../../kafka/producer.ts'

export const repairsMax = 3
const repairsWindowMs = 600_000

export interface Contest {
  /** Changelog offset up to which the search is complete. */
  lookedTo: number
  /** Changelog offset up to which records that are too large to hold have been reported. */
  unheldTo: number
  /** Changelog offset of the last abort marker of another producer; -1 if none is known. */
  markedAt: number
  /** Range to search next. */
  due: OffsetRange | undefined
  /** Range that is being searched. */
  looking: OffsetRange | undefined
  /** Times of the last repairs (performance.now()), oldest first. */
  repairedAt: number[]
  /**
   * Whether the current search already counts as a repair. One repair may have several portions, if it exceeds what is
   * held at once.
   */
  isCounted: boolean
  /** Whether repairs have ended for this partition. */
  isContested: boolean
}

export function newContest(): Contest {
  return {
    lookedTo: 0,
    unheldTo: 0,
    markedAt: -1,
    due: undefined,
    looking: undefined,
    repairedAt: [],
    isCounted: false,
    isContested: false,
  }
}

/** Whether what another writer has replaced may be written again. A search counts once. */
export function mayRepair(contest: Contest, now: number): boolean {
  if (contest.isContested) return false
  if (contest.isCounted) return true
  contest.repairedAt = contest.repairedAt.filter((at) => now - at < repairsWindowMs)
  if (contest.repairedAt.length >= repairsMax) return false
  contest.repairedAt.push(now)
  contest.isCounted = true
  return true
}
