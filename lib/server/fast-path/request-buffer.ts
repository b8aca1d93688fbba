/**
 * Bytes received from a client that are not answered yet, one character per byte. Requests are taken out one by one.
 */
import { BodyBudget } from './body-budget.ts'
import { headEnd } from './head-text.ts'
import { headCharactersMax, type PlainHead, type PlainRequest, readPlainRequest } from './plain-request.ts'

const emptyLine = '\r\n'
/** Of requests that may be plain, and of what may precede them. */
const beginnings = ['GET /', 'QUERY /stores/', 'POST /stores/', 'POST /group/', emptyLine]

export class RequestBuffer {
  #text = ''
  /** Number of characters taken from the text. */
  #at = 0
  /** Bytes received after the text. */
  #later = ''
  /** The text is a head that arrived incomplete, joined with the bytes after it. */
  #isJoined = false
  /** Size of a request whose body has not arrived completely; 0 if there is none. */
  #awaited = 0
  #awaitedTicks = 0
  readonly #budget: BodyBudget

  constructor(budget = new BodyBudget()) {
    this.#budget = budget
  }

  /** The head of a request has arrived, and not all of its body. */
  get awaitsBody(): boolean {
    return this.#awaited > 0
  }

  /**
   * To be called once a second.
   * @returns ticks for which a body has been arriving
   */
  tick(): number {
    return this.awaitsBody ? ++this.#awaitedTicks : 0
  }

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
   *   waited for. A head in more pieces is odd: Bun's server decides how long it may take. A body is waited for if there
   *   is room for all of it.
   */
  nextRequest(known: PlainHead | undefined): PlainRequest | 'none' | 'odd' {
    if (this.size < this.#awaited) return 'none'
    for (;;) {
      if (this.#at < this.#text.length) {
        const plain = readPlainRequest(this.#text, this.#at, known)
        if (plain?.request !== undefined) {
          this.#at = plain.end
          this.#isJoined = false
          if (this.#at === this.#text.length) this.#dropText()
          this.#awaitBody(0)
          return plain
        }
        if (plain !== undefined) {
          if (this.#later === '') return this.#awaitBody(plain.end - this.#at) ? 'none' : 'odd'
        } else if (this.#text.startsWith(emptyLine, this.#at)) {
          this.#at += emptyLine.length
          this.#isJoined = false
          continue
        } else {
          if (this.#isJoined || !this.#isHeadPartial()) return 'odd'
          if (this.#later === '') return 'none'
          this.#isJoined = true
        }
      }
      this.#text = this.#text.slice(this.#at) + this.#later
      this.#later = ''
      this.#at = 0
      if (this.#text === '') return 'none'
    }
  }

  /** All of the text was taken. It is not kept while the request waits for its response. */
  #dropText(): void {
    this.#text = this.#later
    this.#later = ''
    this.#at = 0
  }

  /** Takes all bytes that are left. */
  rest(): Uint8Array {
    const rest = Buffer.from(this.#text.slice(this.#at) + this.#later, 'latin1')
    this.close()
    return rest
  }

  /** Drops all bytes. */
  close(): void {
    this.#text = ''
    this.#later = ''
    this.#at = 0
    this.#isJoined = false
    this.#awaitBody(0)
  }

  /**
   * Awaits a request of this size, and no other.
   * @returns false if there is no room for it
   */
  #awaitBody(size: number): boolean {
    this.#awaitedTicks = 0
    this.#budget.release(this.#awaited)
    this.#awaited = this.#budget.reserve(size) ? size : 0
    return this.#awaited === size
  }

  #isHeadPartial(): boolean {
    const isShort = this.#text.length - this.#at < headCharactersMax
    return isShort && beginnings.some((beginning) => this.#couldBe(beginning)) && !this.#hasHead()
  }

  #couldBe(beginning: string): boolean {
    return beginning.startsWith(this.#text.slice(this.#at, this.#at + beginning.length))
  }

  #hasHead(): boolean {
    return this.#text.includes(headEnd, this.#at)
  }
}
