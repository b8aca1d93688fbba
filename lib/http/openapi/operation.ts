/** Operations of the document. */
import type { ErrorCode } from '../../errors.ts'
import { problemResponses } from './problems.ts'
import {
  type Examples,
  examplesOf,
  type Media,
  type Parameter,
  type ResponseSpec,
  type Schema,
  text,
} from './schema.ts'

export interface OperationSpec {
  readonly id: string
  readonly tag: string
  readonly summary: string
  readonly parameters?: readonly Parameter[]
  readonly body?: Media
  /** By status. */
  readonly answers: Readonly<Record<string, ResponseSpec>>
  /** Codes of problems, besides those of every request. */
  readonly problems: readonly ErrorCode[]
  /** Of problems. */
  readonly examples?: Readonly<Partial<Record<ErrorCode, Examples>>>
  /** Needs no token. */
  readonly isOpen?: true
}

export function operation(spec: OperationSpec): object {
  const { id, tag, summary, parameters, body, answers, problems, examples, isOpen } = spec
  const responses: Record<string, ResponseSpec> = problemResponses(
    isOpen ? problems : [...problems, 'unauthorized'],
    examples,
  )
  for (const [status, answer] of Object.entries(answers)) responses[status] = merged(answer, responses[status])
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(parameters && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': body } } }),
    responses: { ...responses, default: { $ref: '#/components/responses/Refused' } },
    ...(isOpen && { security: [] }),
  }
}

function merged(answer: ResponseSpec, problem: ResponseSpec | undefined): ResponseSpec {
  if (problem === undefined) return answer
  return { ...answer, content: { ...answer.content, ...problem.content } }
}

/** @param values of examples, by their names */
export function json(schema: Schema, values: Readonly<Record<string, unknown>>): Record<string, Media> {
  return { 'application/json': { schema, examples: examplesOf(values) } }
}

/** @param values of examples, each the lines of one answer */
export function lines(item: Schema, values: Readonly<Record<string, readonly object[]>>): Record<string, Media> {
  const bodies = Object.entries(values).map(([name, objects]) => {
    return [name, objects.map((object) => `${JSON.stringify(object)}\n`).join('')] as const
  })
  const media = { schema: text, 'x-itemSchema': item, examples: examplesOf(Object.fromEntries(bodies)) }
  return { 'application/x-ndjson': media }
}

export function plainText(values: Readonly<Record<string, string>>): Record<string, Media> {
  return { 'text/plain': { schema: text, examples: examplesOf(values) } }
}

/** @param values of examples: what the server sends */
export function events(item: Schema, values: Readonly<Record<string, string>>): Record<string, Media> {
  return { 'text/event-stream': { schema: text, 'x-itemSchema': item, examples: examplesOf(values) } }
}
