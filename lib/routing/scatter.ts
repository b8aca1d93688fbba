/**
 * Asks several instances for parts of one answer, each with one request. Each part has candidates, instances that may
 * have it, in order. If one fails, or is silent for a while, the next one is asked for that part, too, and the first
 * answer counts: a silent instance may still live, so nothing is aborted.
 */
import { isInstance, LatchkeyError } from '../errors.ts'
import { errorOf } from './answer.ts'
import { mayBeElsewhere, type Namer, unansweredError } from './unanswered.ts'

export interface ScatterOptions<T> extends Namer {
  /** Partition of each part. */
  readonly partitions: readonly number[]
  /** Members that may have a part, in the order in which they are asked. */
  candidates(part: number): readonly string[]
  /**
   * Asks a member for some of the parts.
   * @returns a value or an error for each of them; rejects if none of them is answered
   */
  ask(member: string, parts: readonly number[], timeoutMs: number): Promise<readonly (T | LatchkeyError)[]>
  readonly times?: ScatterTimes
}

export interface ScatterTimes {
  /** Silence after which others are asked as well. */
  readonly hedgeMs: number
  /** For so long, all are asked again: a promotion or another plan may be under way. */
  readonly roundsMs: number
  readonly pauseMs: number
  /** Of all of it. */
  readonly timeoutMs: number
}

const timesDefault: ScatterTimes = { hedgeMs: 250, roundsMs: 1_000, pauseMs: 50, timeoutMs: 2_000 }

/** Returns for each part what was found; or why it was not, at none of its candidates. Never rejects. */
export function scatter<T>(options: ScatterOptions<T>): Promise<readonly (T | LatchkeyError)[]> {
  return new Scatter(options).run()
}

interface ScatteredPart<T> {
  candidates: readonly string[]
  /** Candidates that were asked in this round. */
  asked: number
  /** Those of them that have not answered. */
  waiting: number
  outcome: T | LatchkeyError | undefined
  isSettled: boolean
  isPaused: boolean
  /** By member. */
  readonly said: Map<string, string>
}

class Scatter<T> {
  readonly #options: ScatterOptions<T>
  readonly #times: ScatterTimes
  readonly #parts: readonly ScatteredPart<T>[]
  readonly #done = Promise.withResolvers<readonly (T | LatchkeyError)[]>()
  readonly #timers = new Set<Timer>()
  readonly #startedAt = performance.now()
  #open: number

  constructor(options: ScatterOptions<T>) {
    this.#options = options
    this.#times = options.times ?? timesDefault
    this.#open = options.partitions.length
    this.#parts = options.partitions.map((_, index) => ({
      candidates: options.candidates(index),
      asked: 0,
      waiting: 0,
      outcome: undefined,
      isSettled: false,
      isPaused: false,
      said: new Map(),
    }))
  }

  run(): Promise<readonly (T | LatchkeyError)[]> {
    this.#after(this.#times.timeoutMs, () => {
      for (const index of this.#parts.keys()) this.#giveUp(index)
      this.#endIfDone()
    })
    this.#askNext([...this.#parts.keys()])
    return this.#done.promise
  }

  get #elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  /** Asks the next candidate of each part. */
  #askNext(parts: readonly number[]): void {
    const byMember = new Map<string, number[]>()
    const exhausted: number[] = []
    for (const index of parts) {
      const part = this.#parts[index]!
      if (part.isSettled || part.isPaused) continue
      const member = part.candidates[part.asked]
      if (member === undefined) {
        if (part.waiting === 0) exhausted.push(index)
        continue
      }
      part.asked++
      part.waiting++
      const those = byMember.get(member) ?? []
      those.push(index)
      byMember.set(member, those)
    }
    for (const [member, those] of byMember) void this.#ask(member, those)
    if (exhausted.length > 0) this.#askAgain(exhausted)
    this.#endIfDone()
  }

  async #ask(member: string, parts: readonly number[]): Promise<void> {
    const hedge = this.#after(this.#times.hedgeMs, () => this.#askNext(parts))
    const outcomes = await this.#outcomes(member, parts)
    const isHedged = !this.#timers.has(hedge)
    this.#clear(hedge)
    const failed = parts.filter((index, at) => !this.#take(this.#parts[index]!, member, outcomes[at]!))
    // After the hedge others are asked for them already. Those continue by themselves, but for the last one.
    this.#askNext(isHedged ? failed.filter((index) => this.#parts[index]!.waiting === 0) : failed)
  }

  async #outcomes(member: string, parts: readonly number[]): Promise<readonly (T | LatchkeyError)[]> {
    try {
      return await this.#options.ask(member, parts, Math.max(1, this.#times.timeoutMs - this.#elapsedMs))
    } catch (thrown) {
      const error = errorOf(thrown)
      return parts.map(() => error)
    }
  }

  /** @returns false if another member is to be asked */
  #take(part: ScatteredPart<T>, member: string, outcome: T | LatchkeyError): boolean {
    part.waiting--
    if (part.isSettled) return true
    const isFinal = !isInstance(outcome, LatchkeyError) || !mayBeElsewhere(outcome)
    if (isFinal) this.#settle(part, outcome)
    else part.said.set(member, outcome.message)
    return isFinal
  }

  /** Asks all candidates again after a pause, or gives up. */
  #askAgain(parts: readonly number[]): void {
    const { pauseMs, roundsMs } = this.#times
    if (this.#elapsedMs + pauseMs >= roundsMs) {
      for (const index of parts) this.#giveUp(index)
      return
    }
    for (const index of parts) this.#parts[index]!.isPaused = true
    this.#after(pauseMs, () => {
      for (const index of parts) {
        const part = this.#parts[index]!
        part.isPaused = false
        part.asked = 0
        part.candidates = this.#options.candidates(index)
      }
      this.#askNext(parts)
    })
  }

  #settle(part: ScatteredPart<T>, outcome: T | LatchkeyError): void {
    if (part.isSettled) return
    part.isSettled = true
    part.outcome = outcome
    this.#open--
  }

  #giveUp(index: number): void {
    const part = this.#parts[index]!
    const { candidates, said } = part
    const partition = this.#options.partitions[index]!
    this.#settle(part, unansweredError(this.#options, { candidates, said, partition }))
  }

  #endIfDone(): void {
    if (this.#open > 0) return
    for (const timer of this.#timers) this.#clear(timer)
    this.#done.resolve(this.#parts.map(({ outcome }) => outcome as T | LatchkeyError))
  }

  #after(ms: number, run: () => void): Timer {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  #clear(timer: Timer): void {
    clearTimeout(timer)
    this.#timers.delete(timer)
  }
}
