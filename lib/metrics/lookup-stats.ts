/**
 * Counts of lookups by outcome, and how long they took: plain arrays that the lookup path adds to (a few nanoseconds, where an
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

export class LookupStats {
  readonly #outcomes = new Float64Array(lookupOutcomes.length)
  /** Not cumulative; the last one has what is above all bounds. */
  readonly #buckets = new Float64Array(latencyBounds.length + 1)
  #seconds = 0

  observe(outcome: LookupOutcome, seconds: number): void {
    this.#outcomes[outcomeIndex[outcome]]! += 1
    let bucket = 0
    while (bucket < latencyBounds.length && seconds > latencyBounds[bucket]!) bucket++
    this.#buckets[bucket]! += 1
    this.#seconds += seconds
  }

  count(outcome: LookupOutcome): number {
    return this.#outcomes[outcomeIndex[outcome]]!
  }

  /** Lookups that took at most each bound, the bound `Infinity` included, and what all of them took together. */
  latency(): { cumulative: number[]; seconds: number } {
    let sum = 0
    const cumulative = Array.from(this.#buckets, (count) => (sum += count))
    return { cumulative, seconds: this.#seconds }
  }
}
