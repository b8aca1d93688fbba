/** What a client has sent and nobody has answered yet, taken out of it request by request. */
import { headCharactersMax, type PlainHead, type PlainRequest, readPlainRequest } from './plain-request.ts'

const start = 'GET /'
const headEnd = '\r\n\r\n'
const none = Buffer.alloc(0)

export class Inbox {
  /** A chunk, as bytes and with a character for each, and how much of it was taken. */
  #bytes: Buffer = none
  #text = ''
  #at = 0
  /** What came after it. */
  #later: Buffer | undefined
  /** The chunk is a head that was cut, and what came next. */
  #isJoined = false

  /** In bytes. */
  get size(): number {
    return this.#bytes.length - this.#at + (this.#later?.length ?? 0)
  }

  add(bytes: Buffer): void {
    if (this.#at === this.#text.length) this.#open(bytes)
    else this.#later = this.#later ? Buffer.concat([this.#later, bytes]) : bytes
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
        if (this.#later === undefined) return 'none'
        this.#open(Buffer.concat([this.#bytes.subarray(this.#at), this.#later]))
        this.#isJoined = true
      } else {
        if (this.#later === undefined) return 'none'
        this.#open(this.#later)
      }
    }
  }

  /** All that was not taken. */
  rest(): Uint8Array {
    const rest = this.#bytes.subarray(this.#at)
    return this.#later ? Buffer.concat([rest, this.#later]) : rest
  }

  #open(bytes: Buffer): void {
    this.#bytes = bytes
    // Once for the chunk, not once for each request that is left in it.
    this.#text = bytes.toString('latin1')
    this.#at = 0
    this.#later = undefined
  }

  #isCut(): boolean {
    const begin = this.#text.slice(this.#at, this.#at + start.length)
    const isShort = this.#text.length - this.#at < headCharactersMax
    return isShort && start.startsWith(begin) && !this.#text.includes(headEnd, this.#at)
  }
}
