/**
 * Counts of lookups by outcome, and how long they took: plain arrays in shared memory that the lookup path adds to (a few nanoseconds, where an
 * observation by prom-client costs 200) and that are turned into text only when metrics are asked for.
 */

export const lookupOutcomes = [
  'found',
  'not_modified',
  'not_found',
  'invalid_key',
  'not_acceptable',
  'recovering',
  'readers_exhausted',
  'partition_not_held',
  'too_stale',
  'failed',
] as const
export type LookupOutcome = (typeof lookupOutcomes)[number]

/** Upper bounds in seconds. A lookup takes some 10 µs: the bounds usual for HTTP would put all into the first bucket. */
export const latencyBounds = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
] as const

const outcomeIndex = Object.fromEntries(lookupOutcomes.map((name, index) => [name, index])) as Record<
  LookupOutcome,
  number
>

const bucketsAt = lookupOutcomes.length
/** The last bucket has what is above all bounds. Not cumulative. */
const secondsAt = bucketsAt + latencyBounds.length + 1
const hostsRefusedAt = secondsAt + 1
/** Milliseconds since the epoch; the first thread's is that of all. */
const hostsRefusedLoggedAt = hostsRefusedAt + 1
const counts = hostsRefusedLoggedAt + 1

const refusedLogMs = 60_000

/** Of one thread that answers lookups, beside those of the others. Each writes its own counts, and any of them can tell the sums. */
export class LookupStats {
  readonly #own: Float64Array
  readonly #all: readonly Float64Array[]

  /** Shared memory for one thread's counts. */
  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(counts * Float64Array.BYTES_PER_ELEMENT)
  }

  /** @param buffers of all threads; `own` is this one's place among them */
  constructor(buffers: readonly SharedArrayBuffer[] = [LookupStats.buffer()], own = 0) {
    this.#all = buffers.map((buffer) => new Float64Array(buffer))
    this.#own = this.#all[own]!
  }

  observe(outcome: LookupOutcome, seconds: number): void {
    const own = this.#own
    own[outcomeIndex[outcome]]! += 1
    let bucket = 0
    while (bucket < latencyBounds.length && seconds > latencyBounds[bucket]!) bucket++
    own[bucketsAt + bucket]! += 1
    own[secondsAt]! += seconds
  }

  /**
   * A request was refused for its Host: no lookup has come of it.
   * @param now in milliseconds, for tests
   * @returns whether it is to be logged, which is so once a minute, whichever thread refuses
   */
  observeRefusedHost(now: number = Date.now()): boolean {
    this.#own[hostsRefusedAt]! += 1
    const shared = this.#all[0]!
    if (Math.abs(now - shared[hostsRefusedLoggedAt]!) < refusedLogMs) return false
    shared[hostsRefusedLoggedAt] = now
    return true
  }

  get hostsRefused(): number {
    return this.#sum(hostsRefusedAt)
  }

  count(outcome: LookupOutcome): number {
    return this.#sum(outcomeIndex[outcome])
  }

  /** Lookups that took at most each bound, the bound `Infinity` included, and what all of them took together. */
  latency(): { cumulative: number[]; seconds: number } {
    let sum = 0
    const buckets = Array.from({ length: latencyBounds.length + 1 }, (_, bucket) => this.#sum(bucketsAt + bucket))
    return { cumulative: buckets.map((count) => (sum += count)), seconds: this.#sum(secondsAt) }
  }

  #sum(index: number): number {
    return this.#all.reduce((sum, thread) => sum + thread[index]!, 0)
  }
}
