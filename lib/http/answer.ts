/**
 * The response to a request. Independent of which server parsed the request: Bun's server, an embedding program's
 * server, or the fast path. A value stays a ValueAnswer, because a Response costs more to make than the lookup; every
 * other answer is a Response.
 */
import type { RequestHead } from './request-head.ts'
import { ValueAnswer } from './value-answer.ts'

export type Answer = ValueAnswer | Response

/**
 * Returns the response to a request. Never throws and never rejects: an error becomes a response, too. `target` is path
 * and query. It is empty if the request has none, as with CONNECT.
 */
export type RequestHandler = (request: RequestHead, target: string) => Answer | Promise<Answer>

export function toResponse(answer: Answer): Response {
  return answer instanceof ValueAnswer ? answer.toResponse() : answer
}
