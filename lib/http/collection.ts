/** `/stores/<id>` without a key in the path: one key by `?key=`, or many keys by `?keys=` or in a body. */
import { LatchkeyError } from '../errors.ts'
import { type LookupStats, outcomeOf } from '../metrics/index.ts'
import { negotiate } from './accept.ts'
import type { Answer } from './answer.ts'
import type { CaughtUp } from './caught-up.ts'
import { bodyBytesMax, keysOfBody, keysOfQuery } from './key-list.ts'
import { acceptQuery, type ListForm, listMediaTypes } from './list-answer.ts'
import { type LookupHandler, lookupPrefix } from './lookup.ts'
import { ManyHandler } from './many.ts'
import { parameterNames, Parameters } from './parameters.ts'
import { problemResponse } from './problem.ts'
import { readJsonBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { maxLagOf } from './staleness.ts'
import { checkStoreId } from './store-id.ts'
import type { StoreView } from './store-view.ts'

const bodyMethods: ReadonlySet<string> = new Set(['QUERY', 'POST'])
const allow = 'GET, HEAD, QUERY, POST'
/** At most one of them is asked for. */
const kinds: ReadonlySet<string> = new Set(['key', 'keys'])

/** @param target begins with lookupPrefix */
export function isCollection(target: string): boolean {
  const slash = target.indexOf('/', lookupPrefix.length)
  if (slash < 0) return true
  const query = target.indexOf('?', lookupPrefix.length)
  return query >= 0 && query < slash
}

/** Whether the body of a request is read. */
export function readsBody(method: string, target: string): boolean {
  return bodyMethods.has(method) && target.startsWith(lookupPrefix) && isCollection(target)
}

export class CollectionHandler {
  readonly #store: StoreView
  readonly #stats: LookupStats
  readonly #lookups: LookupHandler
  readonly #many: ManyHandler

  constructor(store: StoreView, stats: LookupStats, caughtUp: CaughtUp, lookups: LookupHandler) {
    this.#store = store
    this.#stats = stats
    this.#lookups = lookups
    this.#many = new ManyHandler(store, stats, caughtUp)
  }

  /** @param target path and query of the request, for which isCollection holds */
  handle(request: RequestHead, target: string): Answer | Promise<Answer> {
    const startedAt = performance.now()
    const fail = (thrown: unknown) => this.#fail(thrown, startedAt)
    try {
      const answer = this.#answer(request, target)
      return answer instanceof Promise ? answer.catch(fail) : answer
    } catch (thrown) {
      return fail(thrown)
    }
  }

  #answer(request: RequestHead, target: string): Answer | Promise<Answer> {
    const { method } = request
    const queryAt = target.indexOf('?')
    const query = queryAt < 0 ? '' : target.slice(queryAt + 1)
    checkStoreId(target.slice(lookupPrefix.length, queryAt < 0 ? target.length : queryAt), this.#store.id)
    if (bodyMethods.has(method)) return this.#answerBody(request, target, query)
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method)
    const asked = new Set(parameterNames(query).filter((name) => kinds.has(name)))
    if (asked.size > 1) throw exclusive([...asked])
    if (!asked.has('keys')) return this.#lookups.handle(request, target)
    const parameters = new Parameters('Reading many keys', query, ['keys', 'max-lag'], ['keys'])
    const keys = keysOfQuery(parameters.all('keys'))
    return this.#many.answer(keys, { form: formOf(request), maxLag: maxLagOf(target) })
  }

  #answerBody(request: RequestHead, target: string, query: string): Answer | Promise<Answer> {
    // Only for its errors: the keys are in the body.
    void new Parameters('Reading many keys', query, ['max-lag'])
    const options = { form: formOf(request), maxLag: maxLagOf(target) }
    const body = readJsonBody(request, bodyBytesMax)
    if (!(body instanceof Promise)) return this.#many.answer(keysOfBody(body), options)
    return body.then((bytes) => this.#many.answer(keysOfBody(bytes), options))
  }

  #fail(thrown: unknown, startedAt: number): Response {
    this.#stats.observe(outcomeOf(thrown), (performance.now() - startedAt) / 1000)
    return problemResponse(thrown, { ...acceptQuery, ...(isBodyLeft(thrown) && { connection: 'close' }) })
  }
}

/** The rest of the body may still arrive, which must not be taken for a request. */
function isBodyLeft(thrown: unknown): boolean {
  return thrown instanceof LatchkeyError && (thrown.code === 'body_too_large' || thrown.code === 'body_timed_out')
}

function formOf({ headers }: RequestHead): ListForm {
  const form = negotiate(headers.get('accept'), listMediaTypes)
  if (form !== undefined) return form
  const acceptable = listMediaTypes.map(([, mediaType]) => mediaType)
  const message = `Reading entries: there is no representation that the Accept header allows; there are ${acceptable.join(', ')}`
  throw new LatchkeyError('not_acceptable', message, { details: { acceptable } })
}

function exclusive(names: readonly string[]): LatchkeyError {
  const message = `Reading the query: it has ${names.join(' and ')}, which exclude each other; give one of them`
  return new LatchkeyError('invalid_parameter', message)
}

function methodNotAllowed(method: string): Response {
  const message = `Reading entries: ${method} is not possible here; use ${allow}`
  return problemResponse(new LatchkeyError('method_not_allowed', message), { allow, ...acceptQuery })
}
