/**
 * When a member asks for another plan: what happens within a moment is one request, one member does not make the whole
 * group join all the time, and one whose requests change nothing asks less and less often.
 */

/** What happens meanwhile becomes one request. */
const batchMs = 200
const intervalMs = 2_000
const intervalMaxMs = 30_000

export class RejoinPace {
  #intervalMs = intervalMs
  #askedAtMs = Number.NEGATIVE_INFINITY
  #dueAtMs = Number.POSITIVE_INFINITY

  /** Says that another plan would go further. */
  want(nowMs: number): void {
    const dueAtMs = Math.max(nowMs + batchMs, this.#askedAtMs + this.#intervalMs)
    this.#dueAtMs = Math.min(this.#dueAtMs, dueAtMs)
  }

  /** Whether to ask now. Each true is one request. */
  take(nowMs: number): boolean {
    if (nowMs < this.#dueAtMs) return false
    this.#askedAtMs = nowMs
    this.#dueAtMs = Number.POSITIVE_INFINITY
    return true
  }

  /** A plan has come. @param isNew whether it changes anything for anybody */
  planned(isNew: boolean): void {
    this.#intervalMs = isNew ? intervalMs : Math.min(intervalMaxMs, this.#intervalMs * 2)
  }
}
