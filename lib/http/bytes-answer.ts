/** 200 with bytes, for another instance. Becomes a Response, or header lines for a server that writes bytes. */
import { type AddedHeaders, addTo, linesOf } from './added-headers.ts'
import { releaseResponse } from './response-memory.ts'
import { noSniff } from './responses.ts'

/** Smaller bodies are left to the garbage collector: freeing them by hand is not worth its time. */
const ownBytesMin = 65_536

export class BytesAnswer {
  readonly status = 200
  readonly body: Uint8Array<ArrayBuffer>
  readonly #type: string
  #added: AddedHeaders = {}

  /** @param body with memory of its own, which is freed after it is sent */
  constructor(body: Uint8Array<ArrayBuffer>, contentType: string) {
    this.body = body
    this.#type = contentType
  }

  /** Returns the header lines, without those that every response has. */
  headerLines(): string {
    return `Content-Type: ${this.#type}\r\nCache-Control: no-store\r\n${linesOf(this.#added)}`
  }

  add(headers: AddedHeaders): void {
    this.#added = { ...this.#added, ...headers }
  }

  /** Returns a Response. Call it once: it frees the memory of a large body, since the Response has a copy. */
  toResponse(): Response {
    const headers = { 'content-type': this.#type, 'cache-control': 'no-store', ...noSniff }
    const response = new Response(this.body, { headers })
    addTo(response.headers, this.#added)
    if (this.body.length >= ownBytesMin) releaseResponse(this.body)
    return response
  }
}
