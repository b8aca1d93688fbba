/**
 * All routes of a store as one function from request to response: lookups and other routes, behind the token.
 * Independent of the server that listens.
 */
import type { GroupRequests } from '../routing/index.ts'
import { Token } from '../text/token.ts'
import { type Answer, type RequestHandler, toResponse } from './answer.ts'
import { requireToken } from './bearer.ts'
import { CaughtUp } from './caught-up.ts'
import { CollectionHandler, isCollection } from './collection.ts'
import { allowOrigins } from './cors.ts'
import { FeedHandler, isFeed } from './feed/feed.ts'
import { GroupEndpoint, isGroupRequest } from './group-endpoint.ts'
import { targetOf } from './key.ts'
import { LookupHandler, lookupPrefix } from './lookup.ts'
import { observe } from './observed.ts'
import { isPage } from './page/page-answer.ts'
import { PendingAnswer } from './pending-answer.ts'
import type { RequestHead } from './request-head.ts'
import { createRoutes } from './routes.ts'
import type { StoreView } from './store-view.ts'

export { factsOf, type InstanceFacts, observe, type Observed } from './observed.ts'
export type { StoreView } from './store-view.ts'

const flushWaitMsDefault = 10_000

/** Never throws and never rejects: an error becomes a response, too. */
export type Handler = (request: Request) => Response | Promise<Response>

export interface HandlerOptions {
  /** Required of every request except probes and the page, which holds no data. Absent if no token is required. */
  token?: string | undefined
  /** Origins whose pages may read answers, such as `https://a.example`; `*` for all. Absent for none. */
  corsOrigins?: readonly string[] | undefined
  /** Path before all routes, such as `/orders-store`; empty by default. */
  prefix?: string
  /** Time after which a flush request is answered 503; 10,000 ms by default. */
  flushWaitMs?: number
  /** Answers other instances of the group; absent without a group. */
  group?: Pick<GroupRequests, 'answer'> | undefined
}

export interface RequestHandlerOptions extends Omit<HandlerOptions, 'token'> {
  /** A Token can be replaced later. */
  token?: Token | string | undefined
}

/**
 * Creates a handler for the `fetch` of a server.
 * @param observed the handler's own by default, without a version
 */
export function createHandler(store: StoreView, options: HandlerOptions = {}, observed = observe(store, '')): Handler {
  return handlerOf(createRequestHandler(store, options, observed))
}

export function handlerOf(requestHandler: RequestHandler): Handler {
  return (request) => {
    const answer = requestHandler(request, targetOf(request.url))
    if (answer instanceof PendingAnswer) request.signal.addEventListener('abort', answer.cancel, { once: true })
    return answer instanceof Promise ? answer.then(toResponse) : toResponse(answer)
  }
}

/**
 * Creates a function for servers that write values themselves.
 * @param observed its own by default, without a version
 */
export function createRequestHandler(
  store: StoreView,
  options: RequestHandlerOptions = {},
  observed = observe(store, ''),
): RequestHandler {
  const { corsOrigins, flushWaitMs = flushWaitMsDefault, group } = options
  const token = Token.of(options.token)
  const prefix = asPrefix(options.prefix)
  const { lookupStats } = observed
  const caughtUp = new CaughtUp(store)
  const lookups = new LookupHandler(store, lookupStats, caughtUp)
  const collection = new CollectionHandler(store, lookupStats, caughtUp, lookups, prefix)
  const feed = new FeedHandler(store, lookupStats.feed)
  const routes = createRoutes(store, observed, { flushWaitMs, prefix, token })
  const dispatch = (request: RequestHead, target: string): Answer | Promise<Answer> => {
    if (!target.startsWith(lookupPrefix)) {
      return isFeed(target) ? feed.handle(request, target) : routes(request, target)
    }
    return isCollection(target) ? collection.handle(request, target) : lookups.handle(request, target)
  }
  const guarded = requireToken(token, dispatch, isPage)
  // A preflight has no token.
  const ofClients = corsOrigins === undefined ? guarded : allowOrigins(corsOrigins, guarded)
  const answer = group === undefined ? ofClients : withGroup(new GroupEndpoint(store.id, group), ofClients)
  return prefix === '' ? answer : (request, target) => answer(request, below(prefix, target))
}

/** Requests of other instances are signed, and have no token. */
function withGroup(endpoint: GroupEndpoint, ofClients: RequestHandler): RequestHandler {
  return (request, target) => {
    return isGroupRequest(request.method, target) ? endpoint.handle(request, target) : ofClients(request, target)
  }
}

/** Normalises a path: one slash before it and none after it. */
function asPrefix(path = ''): string {
  const bare = path.replaceAll(/^\/+|\/+$/g, '')
  return bare === '' ? '' : `/${bare}`
}

/** Returns the target without the prefix. Empty, which no route matches, if the target is not under the prefix. */
function below(prefix: string, target: string): string {
  if (!target.startsWith(prefix)) return ''
  const rest = target.slice(prefix.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : ''
}
