/** 200 with a body that is made as bytes. Becomes a Response, or header lines for a server that writes bytes. */
import { type AddedHeaders, addTo, linesOf } from './added-headers.ts'
import { releaseLarge } from './response-memory.ts'

export class BytesAnswer {
  readonly status = 200
  readonly body: Uint8Array<ArrayBuffer>
  readonly #headers: Record<string, string>
  #added: AddedHeaders = {}

  /** @param body with memory of its own, which is freed after it is sent */
  constructor(body: Uint8Array<ArrayBuffer>, headers: Record<string, string>) {
    this.body = body
    this.#headers = headers
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
    releaseLarge(this.body)
    return response
  }
}
