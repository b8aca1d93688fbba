/**
 * From a request to its answer, whoever has read the one and writes the other: Bun's server, that of a program, or the lane. Values stay what they are to
 * the end, since a Response costs more to make than the lookup; all other answers are Responses.
 */
import type { Asking } from './asking.ts'
import { ValueAnswer } from './value-answer.ts'

export type Answer = ValueAnswer | Response

/** Never throws, never rejects: a fault is an answer, too. `target` are path and query, empty where the request has none, as with CONNECT. */
export type Answerer = (asking: Asking, target: string) => Answer | Promise<Answer>

export function toResponse(answer: Answer): Response {
  return answer instanceof ValueAnswer ? answer.toResponse() : answer
}
