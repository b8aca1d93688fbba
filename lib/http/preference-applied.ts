/** The header that says for how long a request was ready to be held (RFC 7240, section 3). */
import type { Answer } from './answer.ts'
import { ValueAnswer } from './value-answer.ts'

/** Adds it, if the client has asked for a wait. */
export function applied<A extends Answer | Promise<Answer>>(answer: A, seconds: number | undefined): A {
  if (seconds === undefined) return answer
  if (answer instanceof Promise) return answer.then((made: Answer) => applied(made, seconds)) as A
  const preference = `wait=${seconds}`
  if (answer instanceof ValueAnswer) answer.preferenceApplied = preference
  else if (answer instanceof Response) answer.headers.set('preference-applied', preference)
  return answer
}
