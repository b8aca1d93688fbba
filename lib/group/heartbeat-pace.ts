/**
 * When a member sends its next heartbeat. Only an answer to one says that the members join again, so while another plan is
 * likely, heartbeats follow each other sooner.
 */
import type { MembershipClock } from './membership-options.ts'

const hurriedMs = 100
/** A member that is dead is removed in less, and a plan that is one step of several is followed by the next. */
const hurryForMs = 2_000

export class HeartbeatPace {
  readonly #heartbeatMs: number
  readonly #clock: MembershipClock
  #hurriesUntilMs = Number.NEGATIVE_INFINITY
  #pause = new AbortController()
  #hasEnded = false

  constructor(heartbeatMs: number, clock: MembershipClock) {
    this.#heartbeatMs = heartbeatMs
    this.#clock = clock
  }

  /** Heartbeats follow each other sooner from now on, for a while. */
  hurry(): void {
    const isHurried = this.#isHurried
    this.#hurriesUntilMs = this.#clock.nowMs() + hurryForMs
    if (!isHurried) this.#pause.abort()
  }

  /** Resolves when the next heartbeat is due, or after end(). */
  async due(): Promise<void> {
    if (this.#hasEnded) return
    this.#pause = new AbortController()
    const pauseMs = this.#isHurried ? Math.min(hurriedMs, this.#heartbeatMs) : this.#heartbeatMs
    await this.#clock.sleep(pauseMs, this.#pause.signal)
  }

  end(): void {
    this.#hasEnded = true
    this.#pause.abort()
  }

  get #isHurried(): boolean {
    return this.#clock.nowMs() < this.#hurriesUntilMs
  }
}
