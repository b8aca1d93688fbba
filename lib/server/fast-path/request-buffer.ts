/**
 * Bytes received from a client that are not answered yet, one character per byte. Requests are taken out one by one.
 */
import { headCharactersMax, type PlainHead, type PlainRequest, readPlainRequest } from './plain-request.ts'

const start = 'GET /'
const headEnd = '\r\n\r\n'
const emptyLine = '\r\n'

export class RequestBuffer {
  #text = ''
  /** Number of characters taken from the text. */
  #at = 0
  /** Bytes received after the text. */
  #later = ''
  /** The text is a head that arrived incomplete, joined with the bytes after it. */
  #isJoined = false

  /** In bytes. */
  get size(): number {
    return this.#text.length - this.#at + this.#later.length
  }

  add(bytes: Buffer): void {
    // Decodes all bytes once, not once for each remaining request.
    const text = bytes.toString('latin1')
    if (this.#text === '') this.#text = text
    else this.#later += text
  }

  /**
   * Takes the next request. Empty lines before it are skipped (RFC 9112, section 2.2): some clients end a body with one.
   *
   * @param known head of the previous request
   * @returns `none` if more bytes have to arrive first; `odd` if the request is not plain. A head in two pieces is
   *   waited for. A head in more pieces is odd: Bun's server decides how long it may take.
   */
  nextRequest(known: PlainHead | undefined): PlainRequest | 'none' | 'odd' {
    for (;;) {
      if (this.#at < this.#text.length) {
        const request = readPlainRequest(this.#text, this.#at, known)
        if (request !== undefined) {
          this.#at = request.end
          this.#isJoined = false
          return request
        }
        if (this.#text.startsWith(emptyLine, this.#at)) {
          this.#at += emptyLine.length
          this.#isJoined = false
          continue
        }
        if (this.#isJoined || !this.#isHeadPartial()) return 'odd'
        if (this.#later === '') return 'none'
        this.#isJoined = true
      }
      this.#text = this.#text.slice(this.#at) + this.#later
      this.#later = ''
      this.#at = 0
      if (this.#text === '') return 'none'
    }
  }

  /** Takes all bytes that are left. */
  rest(): Uint8Array {
    const rest = Buffer.from(this.#text.slice(this.#at) + this.#later, 'latin1')
    this.#text = ''
    this.#later = ''
    this.#at = 0
    this.#isJoined = false
    return rest
  }

  #isHeadPartial(): boolean {
    const begin = this.#text.slice(this.#at, this.#at + start.length)
    const isShort = this.#text.length - this.#at < headCharactersMax
    return (
      isShort && (start.startsWith(begin) || emptyLine.startsWith(begin)) && !this.#text.includes(headEnd, this.#at)
    )
  }
}
