/**
 * Counts lookups by outcome and measures their duration in plain arrays in shared memory. Adding to them takes a few
 * nanoseconds, an observation by prom-client 200. They become text only at a scrape.
 */
import { feedCounts, FeedStats } from './feed-stats.ts'
import { forwardCounts, ForwardStats } from './forward-stats.ts'
import { ThreadCounts } from './thread-counts.ts'

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

/**
 * Upper bounds in seconds. A lookup takes about 10 µs, so the usual bounds for HTTP would put all into the
 * first bucket.
 */
export const latencyBounds = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
] as const

const outcomeIndex = Object.fromEntries(lookupOutcomes.map((name, index) => [name, index])) as Record<
  LookupOutcome,
  number
>

const bucketsAt = lookupOutcomes.length
/** Buckets are not cumulative. The last one counts everything above all bounds. */
const secondsAt = bucketsAt + latencyBounds.length + 1
const hostsRefusedAt = secondsAt + 1
/** Time of the last logged refusal, in milliseconds since the epoch. All threads use the value of the first thread. */
const hostsRefusedLoggedAt = hostsRefusedAt + 1
const feedAt = hostsRefusedLoggedAt + 1
const forwardsAt = feedAt + feedCounts
const counts = forwardsAt + forwardCounts

const refusedLogMs = 60_000

/**
 * The counts of a thread that answers lookups. Each thread writes only its own counts, and any thread can sum up
 * all of them.
 */
export class LookupStats extends ThreadCounts {
  /** Of the streams of changes, which the same threads send. */
  readonly feed: FeedStats
  /** Of lookups that other instances answer. */
  readonly forwards: ForwardStats

  /** Allocates shared memory for the counts of one thread. */
  static buffer(): SharedArrayBuffer {
    return new SharedArrayBuffer(counts * Float64Array.BYTES_PER_ELEMENT)
  }

  /**
   * @param buffers of all threads
   * @param own index of this thread's buffer
   */
  constructor(buffers: readonly SharedArrayBuffer[] = [LookupStats.buffer()], own = 0) {
    super(
      buffers.map((buffer) => new Float64Array(buffer)),
      own,
    )
    this.feed = new FeedStats(
      this.all.map((thread) => thread.subarray(feedAt)),
      own,
    )
    this.forwards = new ForwardStats(
      this.all.map((thread) => thread.subarray(forwardsAt)),
      own,
    )
  }

  observe(outcome: LookupOutcome, seconds: number): void {
    const own = this.own
    own[outcomeIndex[outcome]]! += 1
    let bucket = 0
    while (bucket < latencyBounds.length && seconds > latencyBounds[bucket]!) bucket++
    own[bucketsAt + bucket]! += 1
    own[secondsAt]! += seconds
  }

  /** Counts a key of a request for many. Its time is not known: it is a part of that of the request. */
  observeKey(outcome: LookupOutcome): void {
    this.own[outcomeIndex[outcome]]! += 1
  }

  /**
   * Counts a request that was refused for its Host and led to no lookup.
   * @param now in milliseconds, for tests
   * @returns whether to log it: once a minute over all threads
   */
  observeRefusedHost(now: number = Date.now()): boolean {
    this.own[hostsRefusedAt]! += 1
    const shared = this.all[0]!
    if (Math.abs(now - shared[hostsRefusedLoggedAt]!) < refusedLogMs) return false
    shared[hostsRefusedLoggedAt] = now
    return true
  }

  get hostsRefused(): number {
    return this.sum(hostsRefusedAt)
  }

  count(outcome: LookupOutcome): number {
    return this.sum(outcomeIndex[outcome])
  }

  get allLookups(): number {
    return lookupOutcomes.reduce((sum, outcome) => sum + this.count(outcome), 0)
  }

  /**
   * Returns the number of lookups that took at most each bound, including `Infinity`, and the total duration of
   * all lookups.
   */
  latency(): { cumulative: number[]; seconds: number } {
    let sum = 0
    const buckets = Array.from({ length: latencyBounds.length + 1 }, (_, bucket) => this.sum(bucketsAt + bucket))
    return { cumulative: buckets.map((count) => (sum += count)), seconds: this.sum(secondsAt) }
  }
}
