/**
 * Bound on tunnels. Each takes two descriptors in addition to its client's; the bound keeps descriptors free for
 * connections to brokers. Beyond it, requests that have to be passed on wait in order of arrival. Idle tunnels are
 * given up for them.
 */

/** A tunnel that has a slot, or waits for one. */
export interface SlotHolder {
  /** The tunnel has a slot from now on, until it frees it. */
  begin(): void
  /** Another tunnel waits: this one gives up its slot soon. */
  yield(): void
}

export class Slots {
  readonly #max: number
  #taken = 0
  readonly #waiting = new Set<SlotHolder>()
  readonly #idle = new Set<SlotHolder>()

  constructor(max: number) {
    this.#max = max
  }

  take(holder: SlotHolder): void {
    if (this.#taken < this.#max) {
      this.#taken++
      holder.begin()
      return
    }
    this.#waiting.add(holder)
    for (const idle of this.#idle) {
      this.#idle.delete(idle)
      idle.yield()
      break
    }
  }

  /** The holder has a slot and is idle. */
  rest(holder: SlotHolder): void {
    if (this.#waiting.size > 0) holder.yield()
    else this.#idle.add(holder)
  }

  /** The holder has a slot and needs it again. */
  use(holder: SlotHolder): void {
    this.#idle.delete(holder)
  }

  /** The holder frees its slot. */
  free(holder: SlotHolder): void {
    this.#idle.delete(holder)
    this.#taken--
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      this.#taken++
      next.begin()
      break
    }
  }

  /** The holder stops waiting. */
  cancel(holder: SlotHolder): void {
    this.#waiting.delete(holder)
  }
}
