/** Lookups of partitions that are answered elsewhere, for one thread: their number and their bytes have bounds. */
import { LatchkeyError } from '../errors.ts'
import type { ForwardResult } from '../metrics/forward-stats.ts'
import {
  type Answered,
  attempted,
  ForwardedLookup,
  type ForwarderOptions,
  type LookupTarget,
} from './forwarded-lookup.ts'
import { keyBytesMax, keyTooLong } from './long-keys.ts'
import { Ticker } from './ticker.ts'

const lookupsMax = 10_000
const lookupBytesMax = 67_108_864

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #active = new Set<ForwardedLookup>()
  readonly #ticker: Ticker
  #bytes = 0

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#ticker = new Ticker((now) => {
      for (const lookup of this.#active) lookup.tick(now)
      return this.#active.size > 0
    })
  }

  /**
   * Asks the copies of a partition for a key. A staler answer than `maxLag` counts only if there is no other.
   * @throws LatchkeyError owner_unreachable, partition_unassigned, and what a copy finally answers; as a rejection
   */
  get(target: LookupTarget): Promise<Answered> {
    const { key } = target
    if (this.#active.size >= lookupsMax || this.#bytes + key.length > lookupBytesMax) {
      const found = `${this.#active.size} lookups wait for other instances already; ask again later`
      return Promise.reject(new LatchkeyError('owner_unreachable', `${attempted(this.#options.store.id)}: ${found}`))
    }
    if (key.length > keyBytesMax) {
      return Promise.reject(keyTooLong(attempted(this.#options.store.id)))
    }
    const { promise, resolve, reject } = Promise.withResolvers<Answered>()
    const lookup: ForwardedLookup = new ForwardedLookup(this.#options, target, (outcome) => {
      this.#active.delete(lookup)
      this.#bytes -= key.length
      this.#options.counts?.observe(resultOf(outcome, lookup.hasAnswers))
      if (outcome instanceof LatchkeyError) reject(outcome)
      else resolve(outcome)
    })
    this.#active.add(lookup)
    this.#bytes += key.length
    this.#ticker.start()
    lookup.begin()
    return promise
  }

  close(): void {
    this.#ticker.stop()
  }
}

function resultOf(outcome: Answered | LatchkeyError, hasAnswers: boolean): ForwardResult {
  if (!(outcome instanceof LatchkeyError)) return outcome.lookup === undefined ? 'not_found' : 'found'
  return hasAnswers ? 'refused' : 'unreachable'
}
