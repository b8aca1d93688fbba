/**
 * When a member asks for another plan: what happens within a moment is one request, one member does not make the whole
 * group join all the time, and one whose requests change nothing asks less and less often.
 */
import type { RejoinReason } from '../group-protocol/group-figures.ts'

/** What happens meanwhile becomes one request. */
const batchMs = 200
const intervalMs = 2_000
const intervalMaxMs = 30_000

export class RejoinPace {
  #intervalMs = intervalMs
  #askedAtMs = Number.NEGATIVE_INFINITY
  #dueAtMs = Number.POSITIVE_INFINITY
  /** The first one since the last request. */
  #reason: RejoinReason | undefined

  /** Says that another plan would go further. */
  want(nowMs: number, reason: RejoinReason): void {
    this.#reason ??= reason
    const dueAtMs = Math.max(nowMs + batchMs, this.#askedAtMs + this.#intervalMs)
    this.#dueAtMs = Math.min(this.#dueAtMs, dueAtMs)
  }

  /** Why to ask now; undefined if it is not time. Each reason is one request. */
  take(nowMs: number): RejoinReason | undefined {
    if (nowMs < this.#dueAtMs) return undefined
    const reason = this.#reason
    this.#reason = undefined
    this.#askedAtMs = nowMs
    this.#dueAtMs = Number.POSITIVE_INFINITY
    return reason
  }

  /** A plan has come. @param isNew whether it changes anything for anybody */
  planned(isNew: boolean): void {
    this.#intervalMs = isNew ? intervalMs : Math.min(intervalMaxMs, this.#intervalMs * 2)
  }
}
