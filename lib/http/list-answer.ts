/** 200 with several entries, made as bytes. */
import { BytesAnswer } from './bytes-answer.ts'
import { noSniff } from './responses.ts'

/** Forms of an answer with several entries: one object, or one object a line. */
export type ListForm = 'json' | 'ndjson'

/** In order of preference. */
export const listMediaTypes: readonly (readonly [ListForm, string])[] = [
  ['json', 'application/json'],
  ['ndjson', 'application/x-ndjson'],
]

/** Shows that QUERY is possible, and with which bodies (RFC 10008, section 3). */
export const acceptQuery = { 'Accept-Query': 'application/json' }

/** @param body with memory of its own, which is freed after it is sent */
export function listAnswer(
  body: Uint8Array<ArrayBuffer>,
  form: ListForm,
  headers: Record<string, string>,
): BytesAnswer {
  return new BytesAnswer(body, listHeaders(form, headers))
}

/** @param headers in addition to those that all answers with several entries have */
export function listHeaders(form: ListForm, headers: Record<string, string>): Record<string, string> {
  return {
    'Content-Type': form === 'json' ? 'application/json' : 'application/x-ndjson',
    'Cache-Control': 'no-store',
    Vary: 'Accept',
    ...acceptQuery,
    ...headers,
    ...noSniff,
  }
}
