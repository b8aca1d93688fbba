/** Bearer token of RFC 6750: one token for all requests except probes and the page, which holds no data. */
import { LatchkeyError } from '../errors.ts'
import type { Token } from '../text/token.ts'
import type { RequestHandler } from './answer.ts'
import { problemResponse } from './problem.ts'
import type { RequestHead } from './request-head.ts'

/** Paths that orchestrators request without a token, as they are written in the request's target. */
const openPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/status/liveness', '/status/readiness'])

const scheme = 'Bearer '
const anySpelling = /^bearer +/i

/**
 * Wraps `answer`: requests with the token, or that need none, pass; others get 401.
 * @param isPublic whether a request gets the same answer with and without the token, for requests besides the probes
 */
export function requireToken(
  token: Token,
  answer: RequestHandler,
  isPublic: (request: RequestHead, target: string) => boolean,
): RequestHandler {
  return (request, target) => {
    if (!token.isRequired) return answer(request, target)
    const authorization = request.headers.get('authorization')
    const given = authorization === null ? undefined : tokenIn(authorization)
    if (given !== undefined && token.isRight(given)) return answer(request, target)
    return isOpen(target) || isPublic(request, target) ? answer(request, target) : unauthorized(authorization !== null)
  }
}

/** The scheme is case-insensitive, and any number of spaces may follow it. Undefined for another scheme. */
function tokenIn(authorization: string): string | undefined {
  const isUsual = authorization.startsWith(scheme) && authorization[scheme.length] !== ' '
  const found = isUsual ? scheme : anySpelling.exec(authorization)?.[0]
  return found === undefined ? undefined : authorization.slice(found.length)
}

function isOpen(target: string): boolean {
  const query = target.indexOf('?')
  return openPaths.has(query < 0 ? target : target.slice(0, query))
}

function unauthorized(isGiven: boolean): Response {
  const found = isGiven ? 'the Authorization header does not match SERVER_TOKEN' : 'the request has none'
  const message = `Checking the token: ${found}; send "Authorization: Bearer <token>"`
  return problemResponse(new LatchkeyError('unauthorized', message), { 'www-authenticate': 'Bearer' })
}
