/**
 * The time for which no other member can have taken what this one has. It is counted from when the last answered
 * heartbeat was sent: the coordinator received it later, and waits a session timeout from then. Writing needs no lease,
 * because the fence decides; only what is said to readers does.
 */
export class Lease {
  readonly #sessionTimeoutMs: number
  #sentAtMs = Number.NEGATIVE_INFINITY

  constructor(sessionTimeoutMs: number) {
    this.#sessionTimeoutMs = sessionTimeoutMs
  }

  /** @param sentAtMs of a clock that continues while the machine sleeps or the process is stopped */
  answered(sentAtMs: number): void {
    this.#sentAtMs = Math.max(this.#sentAtMs, sentAtMs)
  }

  /** Ends it: the coordinator has removed this member. */
  end(): void {
    this.#sentAtMs = Number.NEGATIVE_INFINITY
  }

  isHeld(nowMs: number): boolean {
    return nowMs - this.#sentAtMs < this.#sessionTimeoutMs
  }
}
