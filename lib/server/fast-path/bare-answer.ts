/**
 * Replaces bare refusals of Bun's server. Bun's server refuses some requests before they reach a handler: it sends a
 * status and `Connection: close` only, the latter not if the client has asked for it, or closes without a response. The client gets a problem instead, as for every
 * other refusal.
 */
import { LatchkeyError } from '../../errors.ts'
import { bodyBytesMax } from '../../http/key-list.ts'
import { problemOf } from '../../http/problem.ts'
import { bodyTooLarge } from '../../http/request-body.ts'
import { headOf, linesOf } from './head.ts'

/** Longer than every bare response. */
const bytesMax = 100
const pattern = /^HTTP\/1\.1 (400|413|431|505) [A-Za-z ]{1,40}\r\n(?:Connection: close\r\n)?\r\n$/

const unknownMethod = new LatchkeyError(
  'method_unknown',
  'Reading the request: HTTP does not define its method; send GET, HEAD, QUERY or POST, in upper case',
)

const refusals: Readonly<Record<string, LatchkeyError>> = {
  400: new LatchkeyError(
    'malformed_request',
    'Reading the request: it is malformed, has no Host, or has a target that is not a path; send HTTP/1.1 with a Host and a path',
  ),
  413: bodyTooLarge(bodyBytesMax),
  431: new LatchkeyError(
    'head_too_large',
    'Reading the request: its line and headers are longer than 16 KB; send fewer or shorter headers, or a shorter key',
  ),
  505: new LatchkeyError('version_not_supported', 'Reading the request: its version is not HTTP/1.1; send HTTP/1.1'),
}

/**
 * @param isHead true for a response to HEAD
 * @returns the replacement; undefined for any other response, or for a part of one
 */
export function problemFor(answer: Uint8Array, isHead: boolean): Uint8Array | undefined {
  if (answer.length > bytesMax) return undefined
  const status = pattern.exec(Buffer.from(answer).toString('latin1'))?.[1]
  return status === undefined ? undefined : refusalBy(refusals[status], isHead)
}

/** Returns the response that replaces a close without a response: Bun's server does not know the method. */
export function unknownMethodRefusal(): Uint8Array {
  return refusalBy(unknownMethod, false)
}

function refusalBy(error: LatchkeyError | undefined, isHead: boolean): Uint8Array {
  const { body, headers, status } = problemOf(error)
  const common = { date: new Date().toUTCString(), isLast: true }
  const head = headOf(status, linesOf(new Headers(headers)), Buffer.byteLength(body), common)
  return Buffer.from(isHead ? head : head + body)
}
