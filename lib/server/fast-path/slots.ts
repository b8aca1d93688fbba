/**
 * How many tunnels there are at a time. Each takes two descriptors beside its client's, which are bounded so that there is always room for connections to
 * brokers. Beyond the bound requests that have to be passed on wait, first come first served; tunnels that pass nothing on are given up for them.
 */

/** Who has a slot, or waits for one. */
export interface SlotHolder {
  /** It has a slot from now on, until it frees it. */
  begin(): void
  /** Another one waits: to be given up, and freed in a moment. */
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

  /** Has one, and does nothing with it for now. */
  rest(holder: SlotHolder): void {
    if (this.#waiting.size > 0) holder.yield()
    else this.#idle.add(holder)
  }

  /** Has one, and needs it again. */
  use(holder: SlotHolder): void {
    this.#idle.delete(holder)
  }

  /** Gives up its slot. */
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

  /** Waits no more. */
  cancel(holder: SlotHolder): void {
    this.#waiting.delete(holder)
  }
}
