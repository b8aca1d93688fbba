/** Counts lookups that were forwarded to other instances, in shared memory: each thread writes its own. */
import { ThreadCounts } from './thread-counts.ts'

/**
 * How the lookup of a key that another instance has ended. `refused`: instances answered, and none of them could say
 * (503, 421). `unreachable`: no instance answered.
 */
export const forwardResults = ['found', 'not_found', 'refused', 'unreachable'] as const
export type ForwardResult = (typeof forwardResults)[number]

const hedgesAt = forwardResults.length
export const forwardCounts = hedgesAt + 1

export class ForwardStats extends ThreadCounts {
  /** To be called once for each key. */
  observe(result: ForwardResult): void {
    this.own[forwardResults.indexOf(result)]! += 1
  }

  /** A further instance was asked, because the first one has not answered yet. */
  hedged(): void {
    this.own[hedgesAt]! += 1
  }

  count(result: ForwardResult): number {
    return this.sum(forwardResults.indexOf(result))
  }

  get hedges(): number {
    return this.sum(hedgesAt)
  }
}
