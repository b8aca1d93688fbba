/**
 * How long a primary must not call its lag 0, because a former one may still do so. A member that hands over says
 * nothing any more before its successor begins, and the lease of one whose session has ended is over. But one that was
 * removed by another member learns of it with its next heartbeat: for two of these, its successors wait.
 */
import type { GroupPlan } from '../group-protocol/member.ts'

export class SuccessorHold {
  readonly #holdMs: number
  /** Member ids by partition. */
  #primaries: readonly (string | undefined)[] | undefined
  /** By partition: a member that takes it later has to wait, too. */
  readonly #untilMs = new Map<number, number>()

  /** @param holdMs two heartbeats */
  constructor(holdMs: number) {
    this.#holdMs = holdMs
  }

  /**
   * Takes each plan that this member gets.
   * @returns until when its primaries hold lookups that need the latest value; -Infinity if not at all
   */
  planned(plan: GroupPlan, memberId: string, nowMs: number): number {
    const members = new Set(plan.members.map((member) => member.memberId))
    const own = plan.members.findIndex((member) => member.memberId === memberId)
    let untilMs = Number.NEGATIVE_INFINITY
    for (const [partition, { primary }] of plan.routes.entries()) {
      const former = this.#primaries?.[partition]
      // A member's first plan does not say who was there before.
      const isAbsent = this.#primaries === undefined || (former !== undefined && !members.has(former))
      if (isAbsent) this.#untilMs.set(partition, nowMs + this.#holdMs)
      const heldUntilMs = this.#untilMs.get(partition) ?? Number.NEGATIVE_INFINITY
      if (heldUntilMs <= nowMs) this.#untilMs.delete(partition)
      else if (primary === own) untilMs = Math.max(untilMs, heldUntilMs)
    }
    // A plan that excludes this member does not say who has the partitions.
    this.#primaries = own < 0 ? undefined : plan.routes.map(({ primary }) => plan.members[primary]?.memberId)
    return untilMs
  }
}
