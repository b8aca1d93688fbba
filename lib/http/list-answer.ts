/** 200 with several entries, made as bytes. Becomes a Response, or header lines for a server that writes bytes. */
import { type AddedHeaders, addTo, linesOf } from './added-headers.ts'
import { releaseResponse } from './response-memory.ts'
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

/** Smaller bodies are left to the garbage collector: freeing them by hand is not worth its time. */
const ownBytesMin = 65_536

export class ListAnswer {
  readonly status = 200
  readonly body: Uint8Array<ArrayBuffer>
  readonly #headers: Record<string, string>
  #added: AddedHeaders = {}

  /** @param body with memory of its own, which is freed after it is sent */
  constructor(body: Uint8Array<ArrayBuffer>, form: ListForm, headers: Record<string, string>) {
    this.body = body
    this.#headers = listHeaders(form, headers)
  }

  /** Returns the header lines, without those that every response has. */
  headerLines(): string {
    return linesOf(this.#headers) + linesOf(this.#added)
  }

  add(headers: AddedHeaders): void {
    this.#added = { ...this.#added, ...headers }
  }

  /** Returns a Response. Call it once: it frees the memory of a large body, since the Response has a copy. */
  toResponse(): Response {
    const response = new Response(this.body, { headers: this.#headers })
    addTo(response.headers, this.#added)
    if (this.body.length >= ownBytesMin) releaseResponse(this.body)
    return response
  }
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
