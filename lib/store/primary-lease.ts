/**
 * Until when no other instance of the group can have taken what this one has. A primary without a lease may be a former one
 * that does not know it, so how far it is behind is not known. Without a group there is no lease, and none is needed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { GroupNotice } from '../group-protocol/group-notice.ts'
import type { StoreConfig } from '../store-protocol/store-config.ts'
import type { Assignment } from './assignment.ts'

const pauseMs = 5
/** A lookup without `max-lag` may see the lease as it was so long ago: the exact clock costs as much as a tenth of it. */
const roughMs = 20

export class PrimaryLease {
  readonly #notice: GroupNotice
  #lookedAt = Number.NEGATIVE_INFINITY
  #isHeld = false

  /** Returns undefined without a group. */
  static of({ elastic }: StoreConfig): PrimaryLease | undefined {
    return elastic?.notice === undefined ? undefined : new PrimaryLease(new GroupNotice(elastic.notice))
  }

  constructor(notice: GroupNotice) {
    this.#notice = notice
  }

  /** Whether no other instance can have a newer value than was read before this call. */
  get isFresh(): boolean {
    return this.#notice.hasLease() && !this.isUncertain
  }

  /** As GroupNotice.isCurrent. */
  isCurrent(generation: number): boolean {
    return this.#notice.isCurrent(generation)
  }

  /** Another plan may have come to other instances already, or a former primary may still answer. That ends soon. */
  get isUncertain(): boolean {
    return this.#notice.isJoining || this.#notice.isHolding()
  }

  /** Whether there is a lease, as of a moment ago. */
  get isHeldRoughly(): boolean {
    const now = Date.now()
    // The clock continues while the process is stopped.
    if (now - this.#lookedAt >= roughMs || now < this.#lookedAt) {
      this.#lookedAt = now
      this.#isHeld = this.#notice.hasLease()
    }
    return this.#isHeld
  }

  /** Resolves when it is certain who is primary, or at a time (performance.now()). */
  async settled(until: number): Promise<void> {
    while (this.isUncertain && performance.now() < until) await sleep(pauseMs)
  }
}

/**
 * Returns undefined for a primary that is not behind, as without a group; null if another instance may have newer values.
 * @param isFresh as the lease says
 */
export function primaryLag(
  { group }: Pick<Assignment, 'group'>,
  partition: number,
  isFresh: boolean,
): null | undefined {
  return isFresh && group?.isElsewhere[partition] !== true ? undefined : null
}
