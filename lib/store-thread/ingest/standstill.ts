/**
 * Detects that this process stood still: it was stopped, or the machine was suspended. Meanwhile the broker may have
 * forgotten the owner of a partition, so it would not refuse the next write.
 */
import { bootTimeMs } from '../../linux/boot-time.ts'
import { loggerOf } from '../../log/index.ts'

const log = loggerOf('store')

const tickMs = 1_000
const standstillMs = 5_000

export class StandstillWatch {
  readonly #stoodStill: () => void
  readonly #now: () => number
  readonly #timer: ReturnType<typeof setInterval>
  #last: number
  #hasStoodStill = false

  /** @param stoodStill called after a standstill, before anything is written */
  constructor(stoodStill: () => void, now = bootTimeMs) {
    this.#stoodStill = stoodStill
    this.#now = now
    this.#last = now()
    this.#timer = setInterval(() => this.check(), tickMs)
  }

  get hasStoodStill(): boolean {
    return this.#hasStoodStill
  }

  /**
   * To be called before each operation that must not follow a standstill, because a timer may fire after a socket
   * event.
   */
  check(): void {
    const now = this.#now()
    const ms = now - this.#last
    this.#last = now
    if (ms <= standstillMs) return
    this.#hasStoodStill = true
    const seconds = Math.round(ms / 1_000)
    log.warn('Stood still for {seconds} s: taking the changelog again before it is written', { seconds })
    this.#stoodStill()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
