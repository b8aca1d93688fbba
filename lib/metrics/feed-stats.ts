/** Counts streams of changes and their events, in shared memory: each thread writes its own, and any thread adds up. */
import { ThreadCounts } from './thread-counts.ts'

export const feedEventKinds = ['put', 'delete', 'reset', 'status'] as const
export type FeedEventKind = (typeof feedEventKinds)[number]

/** Where streams that continue after a place have found what they missed. */
export const resumeKinds = ['ring', 'changelog', 'reset'] as const
export type ResumeKind = (typeof resumeKinds)[number]

const kindIndex = Object.fromEntries(feedEventKinds.map((kind, index) => [kind, index])) as Record<
  FeedEventKind,
  number
>
const followersAt = feedEventKinds.length
const resumesAt = followersAt + 1
export const feedCounts = resumesAt + resumeKinds.length

export class FeedStats extends ThreadCounts {
  get followers(): number {
    return this.sum(followersAt)
  }

  /** @param change 1 when a client begins to follow, -1 when it ends */
  followed(change: 1 | -1): void {
    this.own[followersAt]! += change
  }

  observe(kind: FeedEventKind): void {
    this.own[kindIndex[kind]]! += 1
  }

  count(kind: FeedEventKind): number {
    return this.sum(kindIndex[kind])
  }

  resumed(from: ResumeKind): void {
    this.own[resumesAt + resumeKinds.indexOf(from)]! += 1
  }

  resumes(from: ResumeKind): number {
    return this.sum(resumesAt + resumeKinds.indexOf(from))
  }
}
