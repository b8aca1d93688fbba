/** What a client has sent and nobody has answered yet, a character for each byte, taken out of it request by request. */
import { headCharactersMax, type PlainHead, type PlainRequest, readPlainRequest } from './plain-request.ts'

const start = 'GET /'
const headEnd = '\r\n\r\n'

export class Inbox {
  #text = ''
  /** How much of it was taken. */
  #at = 0
  /** What came after it. */
  #later = ''
  /** The text is a head that was cut, and what came next. */
  #isJoined = false

  /** In bytes. */
  get size(): number {
    return this.#text.length - this.#at + this.#later.length
  }

  add(bytes: Buffer): void {
    // Once for all that is in it, not once for each request that is left.
    const text = bytes.toString('latin1')
    if (this.#text === '') this.#text = text
    else this.#later += text
  }

  /**
   * The next request.
   * @param known head of the one before
   * @returns `none` where more has to come first, `odd` where it is not plain. A head that comes in two pieces is waited for; of one that comes in more,
   *   others are to judge how long it may take
   */
  take(known: PlainHead | undefined): PlainRequest | 'none' | 'odd' {
    for (;;) {
      if (this.#at < this.#text.length) {
        const request = readPlainRequest(this.#text, this.#at, known)
        if (request !== undefined) {
          this.#at = request.end
          this.#isJoined = false
          return request
        }
        if (this.#isJoined || !this.#isCut()) return 'odd'
        if (this.#later === '') return 'none'
        this.#isJoined = true
      }
      this.#text = this.#text.slice(this.#at) + this.#later
      this.#later = ''
      this.#at = 0
      if (this.#text === '') return 'none'
    }
  }

  /** All that was not taken: it is taken by that. */
  rest(): Uint8Array {
    const rest = Buffer.from(this.#text.slice(this.#at) + this.#later, 'latin1')
    this.#text = ''
    this.#later = ''
    this.#at = 0
    this.#isJoined = false
    return rest
  }

  #isCut(): boolean {
    const begin = this.#text.slice(this.#at, this.#at + start.length)
    const isShort = this.#text.length - this.#at < headCharactersMax
    return isShort && start.startsWith(begin) && !this.#text.includes(headEnd, this.#at)
  }
}
