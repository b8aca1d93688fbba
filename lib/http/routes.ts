/** All routes except lookups, which do not pass through the router. */
import { Router } from 'itty-router'
import { LatchkeyError } from '../errors.ts'
import type { Token } from '../text/token.ts'
import type { Answer } from './answer.ts'
import { flush, refuseCrossSite } from './flush.ts'
import { groupAnswer } from './group-answer.ts'
import type { Observed } from './observed.ts'
import { openapiText } from './openapi/index.ts'
import { indexAnswer } from './page/page-answer.ts'
import { liveness, readiness } from './probes.ts'
import { problemResponse } from './problem.ts'
import type { RequestHead, RequestHeaders } from './request-head.ts'
import { jsonResponse, textResponse } from './responses.ts'
import { StatusEvents } from './status-events/status-events.ts'
import { statusStream } from './status-events/status-stream.ts'
import { checkStoreId } from './store-id.ts'
import type { StoreView } from './store-view.ts'

/** Replaces the Request for itty-router. Its URL always parses, independent of the request's Host. */
interface RoutedRequest {
  method: string
  url: string
  headers: RequestHeaders
  params: Record<string, string | undefined>
  query: Record<string, string | string[] | undefined>
}

type Endpoint = (request: RoutedRequest) => Answer | Promise<Answer>

export interface RouteOptions {
  flushWaitMs: number
  /** Before all paths, for documents that name them; may be empty. */
  prefix: string
  token: Token
}

/**
 * @returns a function that answers a request. Its `target` is path and query, empty if the request has none, as with
 *   CONNECT. It never rejects.
 */
export function createRoutes(
  store: StoreView,
  observed: Observed,
  { flushWaitMs, prefix, token }: RouteOptions,
): (request: RequestHead, target: string) => Promise<Answer> {
  const { metrics, facts } = observed
  const events = new StatusEvents(store, observed)
  const router = Router<RoutedRequest, []>()
  const route = (path: string, methods: { GET?: Endpoint; POST?: Endpoint }) => {
    router.all(path, (request: RoutedRequest) => {
      const endpoint = methods[(request.method === 'HEAD' ? 'GET' : request.method) as keyof typeof methods]
      return endpoint ? endpoint(request) : methodNotAllowed(request.method, Object.keys(methods))
    })
  }
  const ofThisStore = (endpoint: Endpoint): Endpoint => {
    return (request) => {
      checkStoreId(request.params['id'] ?? '', store.id)
      return endpoint(request)
    }
  }
  const renderMetrics = async () => textResponse(await metrics.render(), 200, metrics.contentType)
  const readyz: Endpoint = ({ query }) => readiness(store, query['verbose'] !== undefined)

  route('/', { GET: ({ headers }) => indexAnswer(headers, store.status(), { prefix, hasToken: token.isRequired }) })
  route('/status-store/:id', {
    GET: ofThisStore(({ query }) => jsonResponse(store.status(), query['pretty'] !== undefined)),
  })
  route('/status-store/:id/events', { GET: ofThisStore((request) => statusStream(events, request)) })
  route('/flush-store/:id', {
    POST: ofThisStore((request) => {
      refuseCrossSite(request.headers)
      return flush(store, flushWaitMs)
    }),
  })
  route('/livez', { GET: liveness })
  route('/status/liveness', { GET: liveness })
  route('/readyz', { GET: readyz })
  route('/status/readiness', { GET: readyz })
  route('/metrics', { GET: renderMetrics })
  route('/metrics/prometheus', { GET: renderMetrics })
  route('/group', { GET: ({ headers }) => groupAnswer(headers, store.status()) })
  let openapi: string | undefined
  route('/openapi.json', {
    GET: () => textResponse((openapi ??= openapiText(facts.version, prefix)), 200, 'application/json'),
  })

  return async ({ method, headers }, target) => {
    try {
      const url = `http://localhost${target}`
      const routed = { method, url, headers, params: {}, query: {} }
      const response = target !== '' && URL.canParse(url) ? await router.fetch(routed) : undefined
      return response ?? problemResponse(pathNotFound())
    } catch (thrown) {
      return problemResponse(thrown)
    }
  }
}

function pathNotFound(): LatchkeyError {
  return new LatchkeyError('path_not_found', 'Looking for the path: it does not exist; GET / lists the paths that do')
}

function methodNotAllowed(method: string, allowed: string[]): Response {
  const allow = allowed.flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name])).join(', ')
  const message = `Answering the request: ${method} is not possible here; use ${allow}`
  return problemResponse(new LatchkeyError('method_not_allowed', message), { allow })
}
