/**
 * When a member asks for another plan: what happens within a moment is one request, one member does not make the whole
 * group join all the time, and one whose requests change nothing asks less and less often.
 */
import type { RejoinReason } from '../group-protocol/group-figures.ts'

/** What happens meanwhile becomes one request. */
const batchMs = 200
const intervalMs = 2_000
const intervalMaxMs = 30_000
/** Reasons that are looked for in each plan (plan.ts, awaited). */
const byPlan: readonly RejoinReason[] = ['ready', 'strangers', 'room']

export class RejoinPace {
  #intervalMs = intervalMs
  #askedAtMs = Number.NEGATIVE_INFINITY
  #dueAtMs = Number.POSITIVE_INFINITY
  /** In the order in which they came, since the last request. */
  readonly #reasons = new Set<RejoinReason>()

  /** Says that another plan would go further. */
  want(nowMs: number, reason: RejoinReason): void {
    this.#reasons.add(reason)
    // A partition waits for the plan that says that it has strangers.
    const pauseMs = reason === 'strangers' ? intervalMs : this.#intervalMs
    const dueAtMs = Math.max(nowMs + batchMs, this.#askedAtMs + pauseMs)
    this.#dueAtMs = Math.min(this.#dueAtMs, dueAtMs)
  }

  /** Why to ask now; undefined if it is not time. Each reason is one request. */
  take(nowMs: number): RejoinReason | undefined {
    if (nowMs < this.#dueAtMs) return undefined
    const [reason] = this.#reasons
    this.#reasons.clear()
    this.#askedAtMs = nowMs
    this.#dueAtMs = Number.POSITIVE_INFINITY
    return reason
  }

  /**
   * A plan has come. What depends on the plan is to be wanted again: the plan may have it.
   * @param isNew whether it changes anything for anybody
   */
  planned(isNew: boolean): void {
    for (const reason of byPlan) this.#reasons.delete(reason)
    if (this.#reasons.size === 0) this.#dueAtMs = Number.POSITIVE_INFINITY
    this.#intervalMs = isNew ? intervalMs : Math.min(intervalMaxMs, this.#intervalMs * 2)
  }
}
