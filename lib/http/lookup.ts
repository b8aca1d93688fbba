/**
 * GET and HEAD of a value: the hot path. No `new URL`, no router, no promise while a reader is free; why, and the figures, are in DESIGN.md.
 */
import { LatchkeyError } from '../errors.ts'
import type { LookupOutcome, LookupStats } from '../metrics.ts'
import type { Lookup } from '../store/contract/status.ts'
import { etagOf, lastModifiedOf, matchesEtag } from './etag.ts'
import { decodeKey, keyOfQuery } from './key.ts'
import { problemResponse } from './problem.ts'
import { maxLagOf, refuseStale, refuseStaleMiss } from './staleness.ts'
import { checkStoreId } from './store-id.ts'
import type { StoreView } from './store-view.ts'

export const lookupPrefix = '/stores/'

/** Misses may be as frequent as hits, and the status that they ask for is not free. */
const caughtUpCheckMs = 100

export class LookupHandler {
  readonly #store: StoreView
  readonly #stats: LookupStats
  #isCaughtUp = false
  #caughtUpCheckedAt = -Infinity

  constructor(store: StoreView, stats: LookupStats) {
    this.#store = store
    this.#stats = stats
  }

  /** @param target path and query of the request; begins with lookupPrefix */
  handle(request: Request, target: string): Response | Promise<Response> {
    const startedAt = performance.now()
    try {
      const { method } = request
      if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method)
      const maxLag = target.includes('?') ? maxLagOf(target) : undefined
      const found = this.#store.get(this.#keyOf(target))
      if (!(found instanceof Promise)) return this.#answer(request, found, maxLag, startedAt)
      return found
        .then((lookup) => this.#answer(request, lookup, maxLag, startedAt))
        .catch((thrown) => this.#fail(thrown, startedAt))
    } catch (thrown) {
      return this.#fail(thrown, startedAt)
    }
  }

  #keyOf(target: string): Uint8Array {
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

  #answer(request: Request, lookup: Lookup | undefined, maxLag: number | undefined, startedAt: number): Response {
    if (lookup === undefined) {
      if (maxLag !== undefined) refuseStaleMiss(this.#store.status(), maxLag)
      return this.#fail(this.#keyNotFound(), startedAt)
    }
    const etag = etagOf(lookup)
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      etag,
      'cache-control': 'no-cache',
      'x-kafka-partition': String(lookup.partition),
    }
    if (lookup.offset >= 0) headers['x-kafka-offset'] = String(lookup.offset)
    if (lookup.timestamp >= 0) headers['last-modified'] = lastModifiedOf(lookup.timestamp)
    if (lookup.replicaLag !== undefined) {
      refuseStale(lookup.replicaLag, maxLag)
      headers['x-latchkey-role'] = 'replica'
      headers['x-latchkey-lag'] = lookup.replicaLag === null ? 'unknown' : String(lookup.replicaLag)
    }
    const ifNoneMatch = request.headers.get('if-none-match')
    if (ifNoneMatch !== null && matchesEtag(ifNoneMatch, etag)) {
      delete headers['content-type']
      this.#observe('not_modified', startedAt)
      return new Response(null, { status: 304, headers })
    }
    const response = new Response(lookup.value as Uint8Array<ArrayBuffer>, { headers })
    this.#observe('found', startedAt)
    return response
  }

  #fail(thrown: unknown, startedAt: number): Response {
    this.#observe(outcomeOf(thrown), startedAt)
    const error = thrown instanceof LatchkeyError ? thrown : undefined
    const comesSoon = error?.code === 'key_not_found' && error.details['caughtUp'] === false
    return problemResponse(thrown, comesSoon ? { 'retry-after': '1' } : {})
  }

  #observe(outcome: LookupOutcome, startedAt: number): void {
    this.#stats.observe(outcome, (performance.now() - startedAt) / 1000)
  }

  #keyNotFound(): LatchkeyError {
    const found = 'Looking up the key: the store holds no record under it'
    if (this.#caughtUp()) return new LatchkeyError('key_not_found', found, { details: { caughtUp: true } })
    const message = `${found} yet; it has not caught up with the source topic, so ask again later`
    return new LatchkeyError('key_not_found', message, { details: { caughtUp: false } })
  }

  #caughtUp(): boolean {
    const now = performance.now()
    if (now - this.#caughtUpCheckedAt < caughtUpCheckMs) return this.#isCaughtUp
    this.#isCaughtUp = this.#store.status().caughtUp
    this.#caughtUpCheckedAt = now
    return this.#isCaughtUp
  }
}

function methodNotAllowed(method: string): Response {
  const error = new LatchkeyError(
    'method_not_allowed',
    `Looking up a key: ${method} is not possible here; use GET or HEAD`,
  )
  return problemResponse(error, { allow: 'GET, HEAD' })
}

function outcomeOf(thrown: unknown): LookupOutcome {
  if (!(thrown instanceof LatchkeyError)) return 'failed'
  switch (thrown.code) {
    case 'invalid_key':
    case 'recovering':
    case 'readers_exhausted':
    case 'partition_not_held':
    case 'too_stale':
      return thrown.code
    case 'replica_recovering':
      return 'recovering'
    case 'key_not_found':
    case 'store_not_found':
      return 'not_found'
    default:
      return 'failed'
  }
}
