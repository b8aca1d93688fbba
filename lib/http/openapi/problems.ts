/** The refusals of operations: responses by status, from the table in errors.ts. */
import { type ErrorCode, errorTable } from '../../errors.ts'
import {
  count,
  described,
  enumOf,
  type Examples,
  flag,
  listOf,
  orNull,
  ref,
  type ResponseSpec,
  type Schema,
  text,
} from './schema.ts'

/** What any request may be answered, by the server or before an operation is known. */
const common = [
  'invalid_host',
  'malformed_request',
  'unauthorized',
  'path_not_found',
  'method_not_allowed',
  'body_too_large',
  'host_not_allowed',
  'head_too_large',
  'internal',
  'method_unknown',
  'stopping',
  'version_not_supported',
] as const satisfies readonly ErrorCode[]

/** While the store does not serve. */
const notServing = ['processing_only', 'recovering', 'store_failed'] as const

/** Of every read of entries. */
const read = ['store_not_found', 'invalid_parameter', 'not_acceptable', ...notServing] as const

const lookup = [
  ...read,
  'invalid_key',
  'key_not_found',
  'partition_not_held',
  'owner_unreachable',
  'partition_unassigned',
  'value_undecodable',
  'rebuilding',
  'replica_recovering',
  'too_stale',
  'not_yet_visible',
  'waits_exhausted',
  'readers_exhausted',
  'schema_unavailable',
] as const

const body = ['unsupported_media_type', 'too_many_keys', 'body_timed_out'] as const

/** Codes of operations, besides the common ones. */
export const problemsOf = {
  none: [],
  ofStore: ['store_not_found'],
  lookup,
  collection: [...lookup, 'too_many_keys', 'walks_exhausted', 'cursor_expired'],
  manyKeys: [...read, ...body, 'readers_exhausted', 'walks_exhausted', 'schema_unavailable'],
  changes: [...read, 'invalid_key', 'too_many_keys', 'partition_not_held', 'owner_unreachable', 'waits_exhausted'],
  statusEvents: ['store_not_found', 'not_acceptable', 'waits_exhausted'],
  group: ['path_not_found', 'not_acceptable'],
  flush: ['store_not_found', 'cross_site_refused', 'flush_timed_out', 'store_failed'],
  readiness: ['not_ready'],
} as const satisfies Record<string, readonly ErrorCode[]>

/** Codes of a key without an entry, in an answer with status 200. */
const ofKeys: readonly ErrorCode[] = ['answer_full']

const answeredProblems = (): readonly ErrorCode[] =>
  [...new Set<ErrorCode>([...common, ...Object.values(problemsOf).flat(), ...ofKeys])].toSorted()

/** @param examples of problems, by their code */
export function problemResponses(
  codes: readonly ErrorCode[],
  examples: Readonly<Partial<Record<ErrorCode, Examples>>> = {},
): Record<string, ResponseSpec> {
  const all = [...new Set<ErrorCode>([...codes, ...common])]
  const statuses = [...new Set(codes.map((code) => errorTable[code].status))].toSorted((a, b) => a - b)
  const responses = statuses.map((status) => {
    const those = all.filter((code) => errorTable[code].status === status).toSorted()
    const found = Object.assign({}, ...those.map((code) => examples[code] ?? {})) as Examples
    return [String(status), problem(those, found)] as const
  })
  return Object.fromEntries(responses)
}

export const refused = (): ResponseSpec => problem(common, {})

function problem(codes: readonly ErrorCode[], examples: Examples): ResponseSpec {
  const isRetriable = codes.some((code) => errorTable[code].retriable)
  const schema = { ...ref('Problem'), properties: { code: enumOf(codes) } }
  return {
    description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}`).join('. '),
    ...(isRetriable && {
      headers: { 'Retry-After': { description: 'Seconds, where a retry may help', schema: count } },
    }),
    content: { 'application/problem+json': { schema, ...(Object.keys(examples).length > 0 && { examples }) } },
  }
}

export const problemSchema = (): Schema => ({
  description: 'RFC 9457. Further members depend on the code.',
  type: 'object',
  properties: {
    type: described('urn:latchkey:problem:<code>', text),
    title: text,
    status: { type: 'integer' },
    detail: described('What was attempted, what was found, and what to do', text),
    code: enumOf(answeredProblems()),
    caughtUp: flag,
    halted: flag,
    acceptable: listOf(text),
    conditions: listOf({ type: 'object', properties: { name: text, reason: text }, required: ['name'] }),
    partition: count,
    partitions: listOf(count),
    held: { type: 'object', properties: { primary: listOf(count), replicas: listOf(count) } },
    partitionState: ref('PartitionState'),
    state: described('Of the store', text),
    progress: ref('RecoveryProgress'),
    keysMax: count,
    bytesMax: count,
    lag: orNull(count),
    maxLag: count,
    visibleTo: { type: 'object', additionalProperties: orNull(count) },
    awaitsFlush: flag,
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
})
