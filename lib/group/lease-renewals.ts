/**
 * Answers of the coordinator renew the lease, but not after this instance was removed: it joins again within milliseconds,
 * and its store threads may take longer to give up what others have taken meanwhile.
 */
import type { GroupNotice } from '../group-protocol/group-notice.ts'

export class LeaseRenewals {
  readonly #notice: GroupNotice
  /** This instance may claim partitions that others have. */
  #isDoubted = false

  constructor(notice: GroupNotice) {
    this.#notice = notice
  }

  /** @param sentAtMs when the request was sent, which was about a generation */
  answered(sentAtMs: number, generation: number): void {
    if (generation === this.#notice.generation) this.#notice.confirmed(sentAtMs)
    if (!this.#isDoubted) this.#notice.answered(sentAtMs)
  }

  /** Ends the lease: this instance is not a member any more. */
  end(): void {
    this.#isDoubted = true
    // What is said of the plan of before does not count any more.
    this.#notice.generation = -1
    this.#notice.endLease()
  }

  /** What this instance claims is what the plan of a generation gives to it. */
  agreed(generation: number): void {
    if (generation === this.#notice.generation) this.#isDoubted = false
  }
}
