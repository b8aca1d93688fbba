/**
 * Cache of objects that have to be fetched, for callers that cannot wait: a call that comes too early throws
 * SchemaPending, with a promise.
 * A fetch is repeated until there is an answer, however long the registry is unreachable. All three kinds of entries
 * have a limit, because ids come from records.
 */
import { SchemaPending } from '../codec.ts'
import { Refused, RegistryUnavailable } from './faults.ts'

export interface FetchedOptions {
  readonly retryMsMin?: number
  readonly retryMsMax?: number
  /** Retry interval for problems that only an operator can solve. */
  readonly retryMsOperator?: number
  readonly refusalMs?: number
  /** Delay of the second request that confirms a refusal. */
  readonly confirmMs?: number
  readonly readyMax?: number
  readonly now?: () => number
}

/** Is notified of problems and of their end. */
export interface Watcher {
  trouble(what: string, trouble: RegistryUnavailable): void
  settled(what: string): void
}

interface Refusal {
  readonly reason: string
  readonly until: number
}

const pendingMax = 64
const refusedMax = 1_000
/** With this many recent refusals, ids are probably made up: further refusals are not confirmed. */
const refusedSuspicious = 10
/** Maximum number of characters of all schemas. */
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
  /** In the order of last use, least recently used first. */
  readonly #ready = new Map<string, V>()
  readonly #refused = new Map<string, Refusal>()
  readonly #pending = new Map<string, Promise<void>>()
  /**
   * Resolves when the next pending fetch has ended. All callers share one promise: Promise.race would leave a reaction
   * on every pending promise.
   */
  #room = Promise.withResolvers<void>()
  #size = 0

  constructor(watcher: Watcher, options: FetchedOptions = {}) {
    this.#watcher = watcher
    this.#options = { ...defaults, ...options }
  }

  /**
   * @param what name for messages, such as `schema 7`
   * @param isFinal whether a refusal ends the fetch; otherwise it is retried like trouble
   * @throws SchemaPending; Error if the registry refused it
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

  /** Adds an object that was fetched in another way. */
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
          const trouble =
            error instanceof RegistryUnavailable
              ? error
              : new RegistryUnavailable(`${what} is ${(error as Error).message}`, true)
          this.#watcher.trouble(what, trouble)
          await pause(this.#retryMs(attempt, trouble))
        }
      }
    }
  }

  #retryMs(attempt: number, { needsOperator }: RegistryUnavailable): number {
    const { retryMsMin, retryMsMax, retryMsOperator } = this.#options
    if (needsOperator) return retryMsOperator
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(attempt, 16)) * (0.5 + Math.random() / 2)
  }

  #refuse(what: string, reason: string): void {
    this.#forgetRefusals(refusedMax - 1)
    this.#refused.set(what, { reason, until: this.#options.now() + this.#options.refusalMs })
  }

  /** Deletes expired refusals, and the oldest beyond `keptMax`. */
  #forgetRefusals(keptMax: number): void {
    for (const [oldest, { until }] of this.#refused) {
      if (until > this.#options.now() && this.#refused.size <= keptMax) return
      this.#refused.delete(oldest)
    }
  }
}

/** Does not keep the process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
