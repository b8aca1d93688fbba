/** Bearer token of RFC 6750: one token for all requests except probes and the page, which holds no data. */
import { LatchkeyError } from '../errors.ts'
import { secretCheck } from '../text/secret.ts'
import type { RequestHandler } from './answer.ts'
import { problemResponse } from './problem.ts'
import type { RequestHead } from './request-head.ts'

/** Paths that orchestrators request without a token, as they are written in the request's target. */
const openPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/status/liveness', '/status/readiness'])

const scheme = 'Bearer '

/**
 * Wraps `answer`: requests with the token, or that need none, pass; others get 401.
 * @param isPublic whether a request gets the same answer with and without the token, for requests besides the probes
 */
export function requireToken(
  token: string,
  answer: RequestHandler,
  isPublic: (request: RequestHead, target: string) => boolean = () => false,
): RequestHandler {
  const isToken = secretCheck(scheme + token)

  return (request, target) => {
    const authorization = request.headers.get('authorization')
    if (authorization !== null && (isToken(authorization) || isToken(canonical(authorization)))) {
      return answer(request, target)
    }
    return isOpen(target) || isPublic(request, target) ? answer(request, target) : unauthorized(authorization !== null)
  }
}

/** Normalises the scheme, which is case-insensitive and may be followed by any number of spaces. */
function canonical(authorization: string): string {
  return authorization.replace(/^bearer +/i, scheme)
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
