/** What became of lookups, counted while they run. */
const failuresMax = 100

export interface Failure {
  /** ISO 8601. */
  at: string
  instance: string
  key: string
  found: string
}

export class LookupTally {
  answered = 0
  /** Answers that another instance gave than the one that was asked. */
  forwarded = 0
  /** By a replica. */
  byReplica = 0
  /** `max-lag=0` that was refused because no instance could vouch for it. */
  refused = 0
  /** Lookups of an instance that was killed or stopped under way, or had not been found unready yet. */
  excused = 0
  /** Not answered in time, and the process of the test stood still for a good part of that time. */
  stood = 0
  failed = 0
  /** Misses of keys that always have a value. */
  wrongMisses = 0
  /** Values of `max-lag=0` older than what was shown before. */
  wentBack = 0
  readonly failures: Failure[] = []
  readonly #sentAt: number[] = []
  readonly #tookMs: number[] = []

  took(sentAt: number, ms: number): void {
    this.#sentAt.push(sentAt)
    this.#tookMs.push(ms)
  }

  failure(kind: 'failed' | 'wrongMisses' | 'wentBack', instance: string, key: string, found: string): void {
    this[kind]++
    const at = new Date().toISOString()
    if (this.failures.length < failuresMax) this.failures.push({ at, instance, key, found })
  }

  /** Percentile, 0 to 1, of the lookups that were sent in this span of performance.now(); undefined without any. */
  percentileMs(share: number, from = 0, to = Number.POSITIVE_INFINITY): number | undefined {
    const found = this.#tookMs.filter((_, index) => this.#sentAt[index]! >= from && this.#sentAt[index]! < to)
    return percentile(found, share)
  }

  get bad(): number {
    return this.failed + this.wrongMisses + this.wentBack
  }

  summary(): string {
    const ms = (share: number) => `${(this.percentileMs(share) ?? 0).toFixed(1)} ms`
    return [
      `lookups        ${this.answered} answered, p50 ${ms(0.5)}, p99 ${ms(0.99)}, at most ${ms(1)}`,
      `               ${this.forwarded} by another instance, ${this.byReplica} by a replica, ${this.refused} of max-lag=0 refused, ${this.excused} excused, ${this.stood} while the test stood still`,
      `failed         ${this.failed}; wrong 404 ${this.wrongMisses}; went back with max-lag=0 ${this.wentBack}`,
      ...this.#kinds(),
    ].join('\n')
  }

  /** The first of each kind, and how often there was one. */
  #kinds(): string[] {
    const kinds = Map.groupBy(this.failures, ({ found }) => /"code":"(\w+)"/.exec(found)?.[1] ?? found.slice(0, 40))
    return [...kinds].map(([kind, [first, ...others]]) => {
      const { at, instance, key, found } = first!
      return `  ${kind}, ${others.length + 1} of the first ${failuresMax}: ${at} ${instance} ${key}: ${found}`
    })
  }
}

/** Undefined without values. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}
