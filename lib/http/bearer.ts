/** The bearer token of RFC 6750: one for all, asked of every request but those for liveness and readiness. */
import { timingSafeEqual } from 'node:crypto'
import { LatchkeyError } from '../errors.ts'
import type { Answerer } from './answer.ts'
import { problemResponse } from './problem.ts'

/** What orchestrators ask without a token, as written in a request's target. */
const openPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/status/liveness', '/status/readiness'])

const digestBytes = 32
const scheme = 'Bearer '

/** Lets those through to `answer` that have the token, or need none. */
export function requireToken(token: string, answer: Answerer): Answerer {
  const expected = Bun.SHA256.hash(scheme + token, new Uint8Array(digestBytes))
  // Filled by each request and read at once.
  const given = new Uint8Array(digestBytes)

  // Digests are compared, not texts: that takes as long whatever is given, so that neither length nor beginning of the token can be
  // found out by the time that a refusal takes.
  function isToken(authorization: string): boolean {
    Bun.SHA256.hash(authorization, given)
    return timingSafeEqual(given, expected)
  }

  return (asking, target) => {
    const authorization = asking.headers.get('authorization')
    if (authorization !== null && (isToken(authorization) || isToken(canonical(authorization)))) {
      return answer(asking, target)
    }
    return isOpen(target) ? answer(asking, target) : unauthorized(authorization !== null)
  }
}

/** The scheme is case-insensitive, and any number of spaces may follow it. */
function canonical(authorization: string): string {
  return authorization.replace(/^bearer +/i, scheme)
}

function isOpen(target: string): boolean {
  const query = target.indexOf('?')
  return openPaths.has(query < 0 ? target : target.slice(0, query))
}

function unauthorized(isGiven: boolean): Response {
  const found = isGiven ? 'the Authorization header has another than SERVER_TOKEN' : 'the request has none'
  const message = `Checking the token: ${found}; send "Authorization: Bearer <token>"`
  return problemResponse(new LatchkeyError('unauthorized', message), { 'www-authenticate': 'Bearer' })
}
