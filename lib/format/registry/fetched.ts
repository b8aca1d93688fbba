/**
 * Things that are fetched, for callers that cannot wait: who asks too early is told when to ask again. What is being fetched is fetched until there
 * is a word about it, however long the registry is away. All three kinds of entries have a bound, since ids come from records.
 */
import { SchemaPending } from '../codec.ts'
import { Refused, Trouble } from './faults.ts'

export interface FetchedOptions {
  readonly retryMsMin?: number
  readonly retryMsMax?: number
  /** Where only an operator can help. */
  readonly retryMsOperator?: number
  readonly refusalMs?: number
  /** Before a refusal is believed, it is asked for once more. */
  readonly confirmMs?: number
  readonly readyMax?: number
  readonly now?: () => number
}

/** Told of what goes wrong, and that it does no longer. */
export interface Watcher {
  trouble(what: string, trouble: Trouble): void
  settled(what: string): void
}

interface Refusal {
  readonly reason: string
  readonly until: number
}

const pendingMax = 64
const refusedMax = 1_000
/** With as many fresh ones, ids are being made up: nobody waits for a second word. */
const refusedSuspicious = 10
/** Characters of schemas, together. */
const sizeMax = 16_777_216

const defaults = {
  retryMsMin: 200,
  retryMsMax: 10_000,
  retryMsOperator: 15_000,
  refusalMs: 60_000,
  confirmMs: 500,
  readyMax: 1_000,
  now: () => performance.now(),
}

export class Fetched<V extends { readonly size: number }> {
  readonly #options: Required<FetchedOptions>
  readonly #watcher: Watcher
  /** The one longest unused comes first. */
  readonly #ready = new Map<string, V>()
  readonly #refused = new Map<string, Refusal>()
  readonly #pending = new Map<string, Promise<void>>()
  /** Until the next one of those that are pending is not. One promise for all who wait: a race would leave traces in each of them. */
  #room = Promise.withResolvers<void>()
  #size = 0

  constructor(watcher: Watcher, options: FetchedOptions = {}) {
    this.#watcher = watcher
    this.#options = { ...defaults, ...options }
  }

  /**
   * @param what for messages: `schema 7`
   * @param isFinal whether a refusal is believed; otherwise it is asked again, as after trouble
   * @throws SchemaPending; Error where it has been refused
   */
  get(what: string, fetch: () => Promise<V>, isFinal = true): V {
    const known = this.#ready.get(what)
    if (known !== undefined) {
      this.#ready.delete(what)
      this.#ready.set(what, known)
      return known
    }
    const refusal = this.#refused.get(what)
    if (refusal !== undefined) {
      if (this.#options.now() < refusal.until) throw new Error(refusal.reason)
      this.#refused.delete(what)
    }
    throw new SchemaPending(what, this.#pending.get(what) ?? this.#start(what, fetch, isFinal))
  }

  /** What is known from elsewhere. */
  keep(what: string, value: V): void {
    if (this.#ready.has(what)) return
    this.#ready.set(what, value)
    this.#size += value.size
    for (const [oldest, { size }] of this.#ready) {
      if (oldest === what || (this.#ready.size <= this.#options.readyMax && this.#size <= sizeMax)) return
      this.#ready.delete(oldest)
      this.#size -= size
    }
  }

  #start(what: string, fetch: () => Promise<V>, isFinal: boolean): Promise<void> {
    if (this.#pending.size >= pendingMax) return this.#room.promise
    const loaded = this.#load(what, fetch, isFinal).then(() => {
      this.#pending.delete(what)
      this.#room.resolve()
      this.#room = Promise.withResolvers()
    })
    this.#pending.set(what, loaded)
    return loaded
  }

  async #load(what: string, fetch: () => Promise<V>, isFinal: boolean): Promise<void> {
    const { confirmMs } = this.#options
    this.#forgetRefusals(refusedMax)
    let isConfirmed = this.#refused.size >= refusedSuspicious
    for (let attempt = 0; ; attempt++) {
      try {
        this.keep(what, await fetch())
        return this.#watcher.settled(what)
      } catch (error) {
        if (error instanceof Refused && isFinal) {
          if (isConfirmed) {
            this.#refuse(what, `${what} is ${error.message}`)
            return this.#watcher.settled(what)
          }
          isConfirmed = true
          await pause(confirmMs)
        } else {
          const trouble = error instanceof Trouble ? error : new Trouble(`${what} is ${(error as Error).message}`, true)
          this.#watcher.trouble(what, trouble)
          await pause(this.#retryMs(attempt, trouble))
        }
      }
    }
  }

  #retryMs(attempt: number, { needsOperator }: Trouble): number {
    const { retryMsMin, retryMsMax, retryMsOperator } = this.#options
    if (needsOperator) return retryMsOperator
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(attempt, 16)) * (0.5 + Math.random() / 2)
  }

  #refuse(what: string, reason: string): void {
    this.#forgetRefusals(refusedMax - 1)
    this.#refused.set(what, { reason, until: this.#options.now() + this.#options.refusalMs })
  }

  /** Those that have had their time, and the oldest beyond `keptMax`. */
  #forgetRefusals(keptMax: number): void {
    for (const [oldest, { until }] of this.#refused) {
      if (until > this.#options.now() && this.#refused.size <= keptMax) return
      this.#refused.delete(oldest)
    }
  }
}

/** Keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
