/**
 * Pages of other origins may read answers (CORS of the Fetch standard). Without origins, nothing here is used: a browser
 * then keeps answers from such pages.
 */
import { addHeaders, type RequestHandler } from './answer.ts'
import { mapAnswer } from './pending-answer.ts'
import type { RequestHead } from './request-head.ts'
import { noSniff } from './responses.ts'

const allowedMethods = 'GET, HEAD, QUERY, POST'
const allowedHeaders = 'Accept, Authorization, Content-Type, If-None-Match, Last-Event-ID, Prefer'
/** Time for which a browser remembers a preflight; browsers have lower bounds of their own. */
const preflightSeconds = 7_200

/** @param origins such as `https://a.example`, or `*` for all */
export function allowOrigins(origins: readonly string[], answer: RequestHandler): RequestHandler {
  const isForAll = origins.includes('*')
  const known = new Set(origins)

  function headersFor(origin: string | null): Record<string, string> {
    if (isForAll) return { 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': '*' }
    if (origin === null || !known.has(origin)) return { Vary: 'Origin' }
    return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': '*', Vary: 'Origin' }
  }

  return (request, target) => {
    const headers = headersFor(request.headers.get('origin'))
    if (isPreflight(request) && 'Access-Control-Allow-Origin' in headers) return preflight(headers)
    return mapAnswer(answer(request, target), (given) => addHeaders(given, headers))
  }
}

function isPreflight({ method, headers }: RequestHead): boolean {
  return method === 'OPTIONS' && headers.get('access-control-request-method') !== null
}

/** A browser sends it without the token, and learns which requests it may send. */
function preflight(headers: Record<string, string>): Response {
  const allowed = {
    'Access-Control-Allow-Methods': allowedMethods,
    'Access-Control-Allow-Headers': allowedHeaders,
    'Access-Control-Max-Age': String(preflightSeconds),
  }
  return new Response(null, { status: 204, headers: { ...headers, ...allowed, ...noSniff } })
}
