/**
 * GET and HEAD of a value: the hot path. It uses no `new URL`, no router, and no promise while a reader is free.
 * DESIGN.md has reasons and figures.
 */
import type { Representation } from '../definition/presentation.ts'
import { LatchkeyError } from '../errors.ts'
import { type LookupOutcome, type LookupStats, outcomeOf } from '../metrics/index.ts'
import type { Lookup } from '../store-protocol/status.ts'
import { acceptable, notAcceptable, representationFor } from './accept.ts'
import type { Answer } from './answer.ts'
import type { CaughtUp } from './caught-up.ts'
import { decodeKey, keyOfQuery } from './key.ts'
import { problemResponse } from './problem.ts'
import type { RequestHead } from './request-head.ts'
import { isStale, maxLagOf, refuseStale, refuseStaleMiss, tooStale } from './staleness.ts'
import { checkStoreId } from './store-id.ts'
import type { StoreView } from './store-view.ts'
import { instanceHeader, shownLag, ValueAnswer, type Wanted } from './value-answer.ts'
import { mayWait, namesOffsets } from './wait-parameters.ts'
import { WaitingLookups } from './waiting.ts'

export const lookupPrefix = '/stores/'

/** The request's parameters, besides the key. */
interface Asked extends Wanted {
  maxLag: number | undefined
  startedAt: number
}

export class LookupHandler {
  readonly #store: StoreView
  readonly #stats: LookupStats
  readonly #caughtUp: CaughtUp
  readonly #waiting: WaitingLookups

  constructor(store: StoreView, stats: LookupStats, caughtUp: CaughtUp) {
    this.#store = store
    this.#stats = stats
    this.#caughtUp = caughtUp
    this.#waiting = new WaitingLookups(store, {
      answer: (request, target) => this.#handleNow(request, target),
      keyOf: (target) => store.presentation.keyOf(this.#keyTextOf(target)),
      fail: (thrown, startedAt) => this.#fail(thrown, startedAt),
    })
  }

  /** @param target path and query of the request; begins with lookupPrefix */
  handle(request: RequestHead, target: string): Answer | Promise<Answer> {
    if (mayWait(request.headers.get('prefer'), target)) return this.#waiting.handle(request, target)
    return this.#handleNow(request, target)
  }

  #handleNow(request: RequestHead, target: string): Answer | Promise<Answer> {
    const startedAt = performance.now()
    let maxLag: number | undefined
    try {
      const { method, headers } = request
      if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method)
      const as = this.#representationFor(headers.get('accept'))
      if (target.includes('?')) maxLag = this.#maxLagOf(target)
      const asked: Asked = { as, isRaw: this.#store.presentation.hasRawValues, headers, maxLag, startedAt }
      const answer = this.#find(target, asked)
      return answer instanceof Promise ? answer.catch((thrown) => this.#failLookup(thrown, asked)) : answer
    } catch (thrown) {
      return this.#failLookup(thrown, { maxLag, startedAt })
    }
  }

  /** Raw values are sent for every Accept header; the content type is JSON if Accept excludes all of ours. */
  #representationFor(accept: string | null): Representation {
    const representation = representationFor(accept)
    if (representation !== undefined) return representation
    if (this.#store.presentation.hasRawValues) return 'json'
    throw notAcceptable(acceptable, 'Looking up a key')
  }

  /** What was visible at a primary need not be so at a copy that answers in its place. */
  #maxLagOf(target: string): number | undefined {
    return this.#store.readsGroup && namesOffsets(target) ? 0 : maxLagOf(target)
  }

  /** Each step returns a promise only if it has to wait. */
  #find(target: string, asked: Asked): Answer | Promise<Answer> {
    const key = this.#store.presentation.keyOf(this.#keyTextOf(target))
    const found =
      key instanceof Promise
        ? key.then((bytes) => this.#store.get(bytes, asked.maxLag))
        : this.#store.get(key, asked.maxLag)
    return found instanceof Promise ? found.then((lookup) => this.#answer(lookup, asked)) : this.#answer(found, asked)
  }

  #keyTextOf(target: string): Uint8Array {
    const query = target.indexOf('?')
    const pathEnd = query < 0 ? target.length : query
    const slash = target.indexOf('/', lookupPrefix.length)
    const idEnd = slash < 0 || slash > pathEnd ? pathEnd : slash
    checkStoreId(target.slice(lookupPrefix.length, idEnd), this.#store.id)
    if (query >= 0 && idEnd + 1 >= pathEnd) {
      const key = keyOfQuery(target.slice(query + 1))
      if (key) return key
    }
    return decodeKey(target.slice(idEnd + 1, pathEnd))
  }

  #answer(lookup: Lookup | undefined, asked: Asked): Answer | Promise<Answer> {
    if (lookup === undefined) {
      if (asked.maxLag !== undefined) refuseStaleMiss(this.#store.status(), asked.maxLag)
      return this.#fail(this.#keyNotFound(), asked.startedAt)
    }
    if (lookup.replicaLag !== undefined) refuseStale(lookup.replicaLag, asked.maxLag)
    const body = this.#store.presentation.render(lookup, asked.as)
    return body instanceof Promise
      ? body.then((rendered) => this.#respond(lookup, rendered, asked))
      : this.#respond(lookup, body, asked)
  }

  #respond(lookup: Lookup, body: Uint8Array | string, asked: Asked): ValueAnswer {
    const answer = new ValueAnswer(lookup, body, asked)
    this.#observe(answer.status === 304 ? 'not_modified' : 'found', asked.startedAt)
    return answer
  }

  /** In a group a miss comes as an error, with the lag of the copy that has answered. */
  #failLookup(thrown: unknown, { maxLag, startedAt }: Pick<Asked, 'maxLag' | 'startedAt'>): Response {
    const { lag } = thrown instanceof LatchkeyError && thrown.code === 'key_not_found' ? thrown.details : {}
    return this.#fail(isLag(lag) && isStale(lag, maxLag) ? tooStale(lag, maxLag) : thrown, startedAt)
  }

  #fail(thrown: unknown, startedAt: number): Response {
    this.#observe(outcomeOf(thrown), startedAt)
    const error = thrown instanceof LatchkeyError ? thrown : undefined
    const { caughtUp, halted, instance, lag } = error?.details ?? {}
    const isMissing = error?.code === 'key_not_found'
    const comesSoon = isMissing && caughtUp === false && halted !== true
    return problemResponse(thrown, {
      ...(comesSoon && { 'retry-after': '1' }),
      ...(typeof instance === 'string' && /^[\w.~-]+$/.test(instance) && { [instanceHeader]: instance }),
      ...(isMissing && isLag(lag) && { 'x-latchkey-role': 'replica', 'x-latchkey-lag': shownLag(lag) }),
    })
  }

  #observe(outcome: LookupOutcome, startedAt: number): void {
    this.#stats.observe(outcome, (performance.now() - startedAt) / 1000)
  }

  #keyNotFound(): LatchkeyError {
    const { key } = this.#store.presentation.formats
    const found = `Looking up the key: the store holds no record under it${key === 'raw' ? '' : `, read as ${key}`}`
    return this.#caughtUp.notFound(found)
  }
}

/** Whether it is of a replica; null if it is not known. */
function isLag(lag: unknown): lag is number | null {
  return lag === null || typeof lag === 'number'
}

function methodNotAllowed(method: string): Response {
  const error = new LatchkeyError(
    'method_not_allowed',
    `Looking up a key: ${method} is not possible here; use GET or HEAD`,
  )
  return problemResponse(error, { allow: 'GET, HEAD' })
}
