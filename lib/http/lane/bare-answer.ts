/**
 * Bun's server refuses some requests before a handler has them: with a status, `Connection: close` and nothing else. Their clients get the problem
 * that it stands for, as of every other refusal.
 */
import { LatchkeyError } from '../../errors.ts'
import { problemOf } from '../problem.ts'
import { requestBodyBytesMax } from '../guard.ts'
import { headOf, linesOf } from './head.ts'

/** Longer than any of them. */
const bytesMax = 100
const pattern = /^HTTP\/1\.1 (400|413|431) [A-Za-z ]{1,40}\r\nConnection: close\r\n\r\n$/

const refusals: Readonly<Record<string, LatchkeyError>> = {
  400: new LatchkeyError(
    'malformed_request',
    'Reading the request: it is malformed, has no Host, or has a target that is no path; send HTTP/1.1 with a Host and a path',
  ),
  413: new LatchkeyError(
    'body_too_large',
    `Reading the request: its body is longer than ${requestBodyBytesMax} bytes; send none, no path needs one`,
  ),
  431: new LatchkeyError(
    'head_too_large',
    'Reading the request: its line and headers are longer than 16 KB; send fewer or shorter headers, or a shorter key',
  ),
}

/** @param isHead it answers a HEAD @returns what is sent in place of it; undefined where it is another answer, or a part of one */
export function problemFor(answer: Uint8Array, isHead: boolean): Uint8Array | undefined {
  if (answer.length > bytesMax) return undefined
  const status = pattern.exec(Buffer.from(answer).toString('latin1'))?.[1]
  if (status === undefined) return undefined
  const { body, headers } = problemOf(refusals[status])
  const common = { date: new Date().toUTCString(), isLast: true }
  const head = headOf(Number(status), linesOf(new Headers(headers)), Buffer.byteLength(body), common)
  return Buffer.from(isHead ? head : head + body)
}
