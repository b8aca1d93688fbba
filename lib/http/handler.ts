/** All of a store's routes as one function from request to response, whoever listens: the lookup handler and the routes, behind the token. */
import { createMetrics, LookupStats, type Metrics } from '../metrics/index.ts'
import { type Answer, type Answerer, toResponse } from './answer.ts'
import type { Asking } from './asking.ts'
import { requireToken } from './bearer.ts'
import { targetOf } from './key.ts'
import { LookupHandler, lookupPrefix } from './lookup.ts'
import { createRoutes } from './routes.ts'
import type { StoreView } from './store-view.ts'

export type { StoreView } from './store-view.ts'

const flushWaitMsDefault = 10_000

/** Never throws, never rejects: a fault is an answer, too. */
export type Handler = (request: Request) => Response | Promise<Response>

/** What is counted and shown of a store; it counts wherever the store is served. */
export interface Observed {
  readonly metrics: Metrics
  readonly lookupStats: LookupStats
}

export interface HandlerOptions {
  /** Asked of every request but those for liveness and readiness; absent where none is. */
  token?: string | undefined
  /** Path that all routes lie under, such as `/orders-store`; none by default. */
  prefix?: string
  /** How long a request to flush waits before it is answered 503; 10,000 by default. */
  flushWaitMs?: number
}

/** For `fetch` of a server. @param observed by default the handler's own, under no version */
export function createHandler(store: StoreView, options: HandlerOptions = {}, observed = observe(store, '')): Handler {
  return handlerOf(createAnswerer(store, options, observed))
}

export function handlerOf(answerer: Answerer): Handler {
  return (request) => {
    const answer = answerer(request, targetOf(request.url))
    return answer instanceof Promise ? answer.then(toResponse) : toResponse(answer)
  }
}

/** For servers that write values themselves. @param observed by default its own, under no version */
export function createAnswerer(
  store: StoreView,
  options: HandlerOptions = {},
  observed = observe(store, ''),
): Answerer {
  const { token, flushWaitMs = flushWaitMsDefault } = options
  const prefix = asPrefix(options.prefix)
  const { metrics, lookupStats } = observed
  const lookups = new LookupHandler(store, lookupStats)
  const routes = createRoutes(store, metrics, { flushWaitMs, prefix })
  const dispatch = (asking: Asking, target: string): Answer | Promise<Answer> => {
    return target.startsWith(lookupPrefix) ? lookups.handle(asking, target) : routes(asking, target)
  }
  const answer = token === undefined ? dispatch : requireToken(token, dispatch)
  return prefix === '' ? answer : (asking, target) => answer(asking, below(prefix, target))
}

/** @param version for build_info */
export function observe(store: StoreView, version: string): Observed {
  const lookupStats = new LookupStats()
  return { metrics: createMetrics(store, lookupStats, version), lookupStats }
}

/** With a slash before it and none behind it, however it was given. */
function asPrefix(path = ''): string {
  const bare = path.replaceAll(/^\/+|\/+$/g, '')
  return bare === '' ? '' : `/${bare}`
}

/** The target as it is without the prefix; empty, which no route has, where it does not lie under it. */
function below(prefix: string, target: string): string {
  if (!target.startsWith(prefix)) return ''
  const rest = target.slice(prefix.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : ''
}
