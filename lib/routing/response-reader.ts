/** Finds the end of a response of HTTP/1.1 in what a peer sends, within bounds. The peer is not trusted. */

const headBytesMax = 16_384
/** A value may have a gibibyte. */
const responseBytesMax = 1_200_000_000
/** Memory for the beginning of a body. */
const firstBytes = 16_384
const noRoom = 'too much of the responses of others has not arrived yet'
const headEnd = Buffer.from('\r\n\r\n')
const statusLine = /^HTTP\/1\.1 ([1-5]\d\d)(?: [^\r\n]*)?$/
const lengthPattern = /^\d{1,15}$/

export interface PeerResponse {
  status: number
  contentType: string
  /** Memory of its own. */
  body: Uint8Array
  /** The connection ends with it. */
  isLast: boolean
}

interface Head {
  status: number
  contentType: string
  isLast: boolean
  length: number
}

/** Returned instead of a response that cannot be read: why. */
export type BrokenResponse = string

/**
 * Bytes of responses that have not arrived completely, over all peers of a thread. A single response may be larger than
 * the bound: values are.
 */
export class ResponseBudget {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax = 268_435_456) {
    this.#bytesMax = bytesMax
  }

  /** @returns whether there is room; if so, release() has to follow */
  reserve(bytes: number, isAlone: boolean): boolean {
    if (!isAlone && this.#bytes + bytes > this.#bytesMax) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }

  get bytes(): number {
    return this.#bytes
  }
}

export class ResponseReader {
  readonly #budget: ResponseBudget
  #head: Head | undefined
  /** Bytes of the head so far. */
  #headBytes = Buffer.alloc(0)
  #body: Uint8Array = new Uint8Array()
  #filled = 0

  constructor(budget: ResponseBudget) {
    this.#budget = budget
  }

  /** Something of a response has arrived, and not all of it. */
  get hasBegun(): boolean {
    return this.#head !== undefined || this.#headBytes.length > 0
  }

  /** Drops what has arrived. */
  close(): void {
    this.#head = undefined
    this.#hold(new Uint8Array())
  }

  /** @returns undefined if more bytes have to arrive first */
  add(received: Buffer): PeerResponse | BrokenResponse | undefined {
    let rest = received
    while (this.#head === undefined) {
      const bytes = this.#headBytes.length === 0 ? rest : Buffer.concat([this.#headBytes, rest])
      const end = bytes.indexOf(headEnd)
      if (end < 0 || end > headBytesMax) {
        if (bytes.length > headBytesMax) return 'the head of its response has no end'
        // A copy: what was received is memory of the socket.
        this.#headBytes = Buffer.from(bytes)
        return undefined
      }
      const head = readHead(bytes.toString('latin1', 0, end))
      if (typeof head === 'string') return head
      rest = bytes.subarray(end + headEnd.length)
      this.#headBytes = Buffer.alloc(0)
      // An interim response: another one follows (RFC 9110, section 15.2).
      if (head.status < 200) continue
      if (head.length > responseBytesMax) return `its response has ${head.length} bytes`
      this.#head = head
      this.#filled = 0
      if (!this.#hold(new Uint8Array(Math.min(head.length, Math.max(rest.length, firstBytes))))) return noRoom
    }
    return this.#take(rest, this.#head)
  }

  #take(bytes: Buffer, { length, status, contentType, isLast }: Head): PeerResponse | BrokenResponse | undefined {
    const filled = this.#filled + bytes.length
    if (filled > length) return 'more than its response has arrived'
    // Memory follows what has arrived: a peer that announces much holds nothing by that.
    if (filled > this.#body.length) {
      const larger = new Uint8Array(Math.min(length, Math.max(filled, 2 * this.#body.length)))
      larger.set(this.#body.subarray(0, this.#filled))
      if (!this.#hold(larger)) return noRoom
    }
    this.#body.set(bytes, this.#filled)
    this.#filled = filled
    if (filled < length) return undefined
    const body = this.#body
    this.close()
    return { status, contentType, body, isLast }
  }

  /** @returns whether there is room for it */
  #hold(body: Uint8Array): boolean {
    const held = this.#body.length
    const isAlone = this.#budget.bytes === held
    this.#budget.release(held)
    this.#body = body
    if (this.#budget.reserve(body.length, isAlone)) return true
    this.#body = new Uint8Array()
    return false
  }
}

function readHead(text: string): Head | BrokenResponse {
  const [first = '', ...lines] = text.split('\r\n')
  const [, status] = statusLine.exec(first) ?? []
  if (status === undefined) return 'it does not speak HTTP/1.1'
  const head: Head = { status: Number(status), contentType: '', isLast: false, length: -1 }
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'content-length') {
      if (head.length >= 0 || !lengthPattern.test(value)) return 'its response has no clear length'
      head.length = Number(value)
    } else if (name === 'content-type') head.contentType = value
    else if (name === 'connection') head.isLast ||= /\bclose\b/i.test(value)
    else if (name === 'transfer-encoding') return 'its response has no length'
  }
  if (head.length < 0 && head.status >= 200 && head.status !== 204) return 'its response has no length'
  return { ...head, length: Math.max(head.length, 0) }
}
