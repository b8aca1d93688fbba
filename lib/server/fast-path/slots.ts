/**
 * Bound on tunnels. Each takes two descriptors in addition to its client's; the bound keeps descriptors free for
 * connections to brokers. Beyond it, requests that have to be forwarded wait in order of arrival, those whose head is
 * complete before the others: so clients that send heads slowly delay only each other, however many they are. Tunnels
 * that only wait for their clients are dropped for them.
 */
import { loggerOf, RepeatedLog } from '../../log/index.ts'

/** A tunnel that has a slot, or waits for one. */
export interface SlotHolder {
  /** The tunnel has a slot from now on, until it frees it. */
  begin(): void
  /** Another tunnel waits: this one releases its slot soon. */
  yield(): void
}

/** A wait that is worth a line in the log. At most one tick longer than this. */
const longWaitTicks = 2
const logIntervalMs = 60_000

const repeatedLog = new RepeatedLog(loggerOf('http'), logIntervalMs)

export class Slots {
  readonly #max: number
  #taken = 0
  #ticks = 0
  /** In order of arrival, each with its tick. */
  readonly #waiting = new Map<SlotHolder, number>()
  /** Those whose requests have a complete head. */
  readonly #ready = new Map<SlotHolder, number>()
  readonly #idle = new Set<SlotHolder>()

  constructor(max: number) {
    this.#max = max
  }

  acquire(holder: SlotHolder): void {
    if (this.#taken < this.#max) {
      this.#taken++
      holder.begin()
      return
    }
    this.#waiting.set(holder, this.#ticks)
    for (const idle of this.#idle) {
      this.#idle.delete(idle)
      idle.yield()
      break
    }
  }

  /** The head of the holder's request is complete. No effect unless the holder waits. */
  ready(holder: SlotHolder): void {
    const since = this.#waiting.get(holder)
    if (since === undefined) return
    this.#waiting.delete(holder)
    this.#ready.set(holder, since)
  }

  /** The holder has a slot and can give it up. */
  rest(holder: SlotHolder): void {
    if (this.#waitingCount > 0) holder.yield()
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
    const [next] = this.#ready.size > 0 ? this.#ready.keys() : this.#waiting.keys()
    if (next === undefined) return
    this.cancel(next)
    this.#taken++
    next.begin()
  }

  /** The holder stops waiting. */
  cancel(holder: SlotHolder): void {
    this.#ready.delete(holder)
    this.#waiting.delete(holder)
  }

  /** To be called once a second. Logs that requests wait for long. */
  tick(): void {
    this.#ticks++
    for (const waiting of [this.#ready, this.#waiting]) {
      const [since = Infinity] = waiting.values()
      if (this.#ticks - since >= longWaitTicks) this.#logWait()
    }
  }

  get #waitingCount(): number {
    return this.#ready.size + this.#waiting.size
  }

  #logWait(): void {
    repeatedLog.log(
      'warning',
      'slots',
      'Passing requests on: {waiting} have to wait, because {max} others are in progress; plain GETs do not wait. Look for clients that send requests other than plain GETs slowly or in large numbers',
      { waiting: this.#waitingCount, max: this.#max },
    )
  }
}
