/** Whether a peer is asked: after a refused connection, or three failures in a row, others are asked before it. */
import type { PeerFault } from './peer-fault.ts'

const failuresMax = 3
/** While a peer is down, one request after each such pause finds out whether it is back. */
const pauseMsFirst = 250
const pauseMsMax = 4_000
const latenciesKept = 64
const silentMs = 250
const hedgeMsMin = 250
const hedgeMsMax = 1_000

export class Breaker {
  #failures = 0
  #fault: PeerFault | undefined
  #pauseMs = pauseMsFirst
  #triedAt = -Infinity
  #answeredAt = -Infinity
  readonly #latencies: number[] = []
  #count = 0
  #slowest = 0

  /** Why it is down; undefined while it is up. */
  get down(): PeerFault | undefined {
    return this.#fault
  }

  /** It has failed since its last answer: whether it is down is to be found out. */
  get isDoubtful(): boolean {
    return this.#failures > 0
  }

  /** Whether to ask it now. While it is down, that is so once in a pause; the call counts as such a request. */
  mayTry(now: number): boolean {
    if (this.#fault === undefined) return true
    if (now - this.#triedAt < this.#pauseMs) return false
    this.#triedAt = now
    return true
  }

  /** @returns whether it was down */
  answered(now: number, tookMs: number): boolean {
    this.#answeredAt = now
    this.#failures = 0
    this.#latencies[this.#count++ % latenciesKept] = tookMs
    if (this.#count % (latenciesKept / 4) === 0) this.#slowest = Math.max(...this.#latencies)
    if (this.#fault === undefined) return false
    this.#fault = undefined
    this.#pauseMs = pauseMsFirst
    return true
  }

  /** @returns whether it is down now, and was not before */
  failed(now: number, fault: PeerFault): boolean {
    this.#failures++
    if (this.#fault !== undefined) {
      this.#fault = fault
      this.#pauseMs = Math.min(2 * this.#pauseMs, pauseMsMax)
      return false
    }
    if (fault.kind === 'unreachable' && this.#failures < failuresMax) return false
    this.#fault = fault
    this.#triedAt = now
    return true
  }

  /** Something says that it may have ended: whether it answers is to be found out. */
  doubt(): void {
    this.#failures ||= 1
  }

  /** Time without an answer after which another one is asked, too. */
  get hedgeMs(): number {
    return Math.min(Math.max(hedgeMsMin, 2 * this.#slowest), hedgeMsMax)
  }

  /** Whether it has said nothing for so long that others are asked at the same time. */
  isSilent(now: number, oldestSentAt: number): boolean {
    return now - Math.max(oldestSentAt, this.#answeredAt) > silentMs
  }
}
