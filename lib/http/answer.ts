/**
 * The response to a request. Independent of which server parsed the request: Bun's server, an embedding program's
 * server, or the fast path. A value stays a ValueAnswer, because a Response costs more to make than the lookup, and what
 * is made as bytes a BytesAnswer; every other answer is a Response.
 */
import { type AddedHeaders, addTo } from './added-headers.ts'
import { BytesAnswer } from './bytes-answer.ts'
import type { RequestHead } from './request-head.ts'
import type { StreamAnswer } from './stream-answer.ts'
import { ValueAnswer } from './value-answer.ts'

/** An answer that writes itself: as header lines and body, or as a Response. */
export type WrittenAnswer = ValueAnswer | BytesAnswer
export type Answer = WrittenAnswer | StreamAnswer | Response

/**
 * Returns the response to a request. Never throws and never rejects: an error becomes a response, too. `target` is path
 * and query. It is empty if the request has none, as with CONNECT.
 */
export type RequestHandler = (request: RequestHead, target: string) => Answer | Promise<Answer>

export function toResponse(answer: Answer): Response {
  return answer instanceof Response ? answer : answer.toResponse()
}

/** Adds headers to an answer. A header that it has already gets one more value. */
export function addHeaders(answer: Answer, headers: AddedHeaders): Answer {
  if (answer instanceof Response) addTo(answer.headers, headers)
  else answer.add(headers)
  return answer
}

export function isWritten(answer: Answer | Promise<Answer>): answer is WrittenAnswer {
  return answer instanceof ValueAnswer || answer instanceof BytesAnswer
}
