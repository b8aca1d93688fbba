/**
 * `/stores/<id>` without a key in the path: one key by `?key=`; many keys by `?keys=` or in a body; a count; all entries
 * as pages or as a stream.
 */
import { LatchkeyError } from '../errors.ts'
import { type LookupStats, outcomeOf } from '../metrics/index.ts'
import { accepted } from './accept.ts'
import { addHeaders, type Answer } from './answer.ts'
import type { CaughtUp } from './caught-up.ts'
import { positionOf } from './cursor.ts'
import { dumpOf } from './dump.ts'
import { isGroupRequest } from './group-endpoint.ts'
import { bodyBytesMax, keysOfBody, keysOfQuery } from './key-list.ts'
import { acceptQuery, type ListForm, listHeaders, listMediaTypes } from './list-answer.ts'
import { type LookupHandler, lookupPrefix } from './lookup.ts'
import { ManyHandler } from './many.ts'
import { countAll, countWalked, limitDefault, limitMax, pageOf, pageUrl } from './page.ts'
import { Parameters, partitionMax } from './parameters.ts'
import { mapAnswer, PendingAnswer } from './pending-answer.ts'
import { problemResponse } from './problem.ts'
import { readJsonBody } from './request-body.ts'
import type { RequestHead } from './request-head.ts'
import { maxLagOf } from './staleness.ts'
import { checkStoreId } from './store-id.ts'
import type { StoreView } from './store-view.ts'
import { emptyBody, StreamAnswer } from './stream-answer.ts'
import { WalkTurns } from './walk-turns.ts'
import { Walk, type WalkOptions } from './walk.ts'

const walkParameters = ['limit', 'cursor', 'prefix', 'fields', 'partition']
const bodyMethods: ReadonlySet<string> = new Set(['QUERY', 'POST'])
/** Larger ones take turns: they may ask for thousands of keys. The fast path has turns of its own. */
const smallBodyBytes = 2_048
const allow = 'GET, HEAD, QUERY, POST'
/** At most one of them is asked for. */
const kinds = ['key', 'keys', 'count', 'limit'].map((kind) => [kind, new RegExp(`(?:^|&)${kind}(?:[=&]|$)`)] as const)

/** @param target begins with lookupPrefix */
export function isCollection(target: string): boolean {
  const slash = target.indexOf('/', lookupPrefix.length)
  if (slash < 0) return true
  const query = target.indexOf('?', lookupPrefix.length)
  return query >= 0 && query < slash
}

/** Whether the body of a request is read. */
export function readsBody(method: string, target: string): boolean {
  if (!target.startsWith(lookupPrefix)) return isGroupRequest(method, target)
  return bodyMethods.has(method) && isCollection(target)
}

export class CollectionHandler {
  readonly #store: StoreView
  readonly #stats: LookupStats
  readonly #lookups: LookupHandler
  readonly #many: ManyHandler
  readonly #turns = new WalkTurns()
  /** Of the collection, in URLs. */
  readonly #path: string

  /** @param prefix before all paths; may be empty */
  constructor(store: StoreView, stats: LookupStats, caughtUp: CaughtUp, lookups: LookupHandler, prefix: string) {
    this.#path = `${prefix}${lookupPrefix}${encodeURIComponent(store.id)}`
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
      const answer = this.#answer(request, target, fail)
      // A pending answer has made its errors answers itself.
      return answer instanceof Promise && !(answer instanceof PendingAnswer) ? answer.catch(fail) : answer
    } catch (thrown) {
      return fail(thrown)
    }
  }

  #answer(request: RequestHead, target: string, fail: (thrown: unknown) => Answer): Answer | Promise<Answer> {
    const { method } = request
    const queryAt = target.indexOf('?')
    const query = queryAt < 0 ? '' : target.slice(queryAt + 1)
    checkStoreId(target.slice(lookupPrefix.length, queryAt < 0 ? target.length : queryAt), this.#store.id)
    if (bodyMethods.has(method)) return this.#answerBody(request, target, query)
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method)
    const asked = new Set(kinds.filter(([, pattern]) => pattern.test(query)).map(([kind]) => kind))
    if (asked.size > 1) throw exclusive([...asked])
    if (asked.has('key')) return this.#lookups.handle(request, target)
    if (asked.has('count')) return this.#ofPart(this.#count(query, fail))
    if (!asked.has('keys')) return this.#ofPart(this.#walk(request, query, fail))
    const parameters = new Parameters('Reading many keys', query, ['keys', 'max-lag'], ['keys'])
    const keys = keysOfQuery(parameters.all('keys'))
    return this.#many.answer(keys, { form: formOf(request), maxLag: maxLagOf(target) })
  }

  /** An answer that has some of the partitions says so. */
  #ofPart(answer: Answer | Promise<Answer>): Answer | Promise<Answer> {
    const { part } = this.#store
    if (part === undefined) return answer
    return mapAnswer(answer, (made) => addHeaders(made, { 'X-Latchkey-Partitions': `${part.held}/${part.all}` }))
  }

  #answerBody(request: RequestHead, target: string, query: string): Answer | Promise<Answer> {
    // Only for its errors: the keys are in the body.
    void new Parameters('Reading many keys', query, ['max-lag'])
    const options = { form: formOf(request), maxLag: maxLagOf(target) }
    const body = readJsonBody(request, bodyBytesMax)
    if (!(body instanceof Promise)) return this.#many.answer(keysOfBody(body), options)
    const { signal } = new AbortController()
    return body.then((bytes) => {
      const answer = () => this.#many.answer(keysOfBody(bytes), options)
      return bytes.length > smallBodyBytes ? this.#turns.chunk(answer, signal) : answer()
    })
  }

  #count(query: string, fail: (thrown: unknown) => Answer): Promise<Answer> {
    const parameters = new Parameters('Counting entries', query, ['count', 'prefix'])
    if (parameters.all('count')[0] !== '') throw parameters.invalid('count has a value; give ?count alone')
    const prefix = parameters.bytes('prefix')
    if (prefix === undefined) return countAll(this.#store)
    const options = { form: 'json', partition: undefined, prefix, keysOnly: true, from: undefined } as const
    return PendingAnswer.of(({ signal }) => {
      return this.#turns.answer(() => countWalked(new Walk(this.#store, this.#turns, { ...options, signal })), signal)
    }, fail)
  }

  #walk(request: RequestHead, query: string, fail: (thrown: unknown) => Answer): Answer | Promise<Answer> {
    const parameters = new Parameters('Walking the store', query, walkParameters)
    const options: Omit<WalkOptions, 'signal'> = {
      form: formOf(request),
      partition: parameters.wholeNumber('partition', 0, partitionMax),
      prefix: parameters.bytes('prefix'),
      keysOnly: isKeysOnly(parameters),
      from: positionOf(parameters, this.#store),
    }
    const { from, partition } = options
    if (from !== undefined && partition !== undefined && from.partition !== partition) {
      throw parameters.invalid('cursor and partition name different partitions; take both from "next"')
    }
    const limit = parameters.wholeNumber('limit', 1, limitMax)
    if (limit === undefined && options.form === 'ndjson') {
      if (request.method === 'HEAD') return new StreamAnswer(emptyBody, listHeaders('ndjson', {}))
      const dump = (abort: AbortController) => {
        return dumpOf(new Walk(this.#store, this.#turns, { ...options, signal: abort.signal }), abort)
      }
      return PendingAnswer.of(dump, fail)
    }
    const entries = limit ?? limitDefault
    const nextUrl = pageUrl(this.#path, parameters, entries)
    return PendingAnswer.of(({ signal }) => {
      const page = () => {
        const walk = new Walk(this.#store, this.#turns, { ...options, signal })
        return pageOf(this.#store, walk, options.form, entries, nextUrl)
      }
      return this.#turns.answer(page, signal)
    }, fail)
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
  return accepted(headers.get('accept'), listMediaTypes, 'Reading entries')
}

function isKeysOnly(parameters: Parameters): boolean {
  const fields = parameters.text('fields')
  if (fields === undefined || fields === 'key') return fields !== undefined
  throw parameters.invalid('fields is not "key"; give fields=key, or none')
}

function exclusive(names: readonly string[]): LatchkeyError {
  const message = `Reading the query: it has ${names.join(' and ')}, which exclude each other; give one of them`
  return new LatchkeyError('invalid_parameter', message)
}

function methodNotAllowed(method: string): Response {
  const message = `Reading entries: ${method} is not possible here; use ${allow}`
  return problemResponse(new LatchkeyError('method_not_allowed', message), { allow, ...acceptQuery })
}
