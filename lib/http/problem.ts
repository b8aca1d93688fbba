/** Turns errors into responses: problem+json of RFC 9457, from the table in errors.ts. No other file does. */
import {
  answeredCodes,
  type ErrorCode,
  errorTable,
  isInstance,
  LatchkeyError,
  loggedCodes,
  messageOf,
} from '../errors.ts'
import { loggerOf, RepeatedLog } from '../log/index.ts'
import type { RecoveryProgress } from '../store-protocol/status.ts'
import { noSniff } from './responses.ts'

const retrySecondsDefault = 1
const retrySecondsMax = 60

const repeatedLog = new RepeatedLog(loggerOf('http'))

/** @param headers in addition to those of every problem */
export function problemResponse(thrown: unknown, headers: Record<string, string> = {}): Response {
  const problem = problemOf(thrown)
  return new Response(problem.body, { status: problem.status, headers: { ...problem.headers, ...headers } })
}

/** Returns status, headers and body of a problem, before they become a Response. */
export function problemOf(thrown: unknown): { status: number; headers: Record<string, string>; body: string } {
  const error = isInstance(thrown, LatchkeyError) ? thrown : undefined
  const code = error?.code ?? 'internal'
  const isAnswered = error !== undefined && answeredCodes.has(code)
  logProblem(thrown, code)
  const { title, status, retriable } = errorTable[code]
  const members = {
    type: `urn:latchkey:problem:${code}`,
    title,
    status,
    detail: isAnswered ? error.message : title,
    code,
  }
  // First, to set the order of members; last, so that no detail replaces them.
  const body = { ...members, ...(isAnswered && error.details), ...members }
  return {
    status,
    body: `${JSON.stringify(body)}\n`,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...noSniff,
      ...(retriable && { 'retry-after': String(retrySeconds(error?.details ?? {})) }),
    },
  }
}

/** Logs an error that the client does not get, or that concerns the operator as well. */
export function logProblem(thrown: unknown, code: ErrorCode): void {
  if (answeredCodes.has(code) && !loggedCodes.has(code)) return
  repeatedLog.log('error', code, 'Answering a request: {error}', { error: messageOf(thrown) })
}

/** Returns the Retry-After: the estimated rest of the recovery, within bounds. */
function retrySeconds(details: Readonly<Record<string, unknown>>): number {
  const { remainingSeconds } = (details['progress'] ?? {}) as Partial<RecoveryProgress>
  if (typeof remainingSeconds !== 'number' || !(remainingSeconds > 0)) return retrySecondsDefault
  return Math.min(retrySecondsMax, Math.ceil(remainingSeconds))
}
