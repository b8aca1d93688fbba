/**
 * Writes replies, in RESP2 or RESP3. They are put together in one buffer and sent with one write: the replies of many
 * pipelined commands cost one call of the kernel.
 */
const pageBytes = 65_536
/** Longer values are sent from their own memory. */
const copiedBytesMax = 16_384
/** A header of a reply, such as `$1048576\r\n`, and the line break after its bytes. */
const headerBytesMax = 24

const star = 0x2a
const greater = 0x3e
const dollar = 0x24
const cr = 0x0d
const lf = 0x0a

/**
 * All clients of a thread share it. Commands of several clients may end in the same turn, so the page has an owner: who
 * writes into it next sends first what the owner left.
 */
const page = Buffer.alloc(pageBytes)
let owner: ReplyWriter | undefined

/** Where replies go; a WriteBuffer. */
export interface ReplyOutput {
  /** Memory of the replies that the client has not taken. */
  readonly bytes: number
  /** The client has reset its connection: replies are dropped. */
  readonly isClosed: boolean
  /** @param page the first `length` bytes are sent; the caller may reuse it at once */
  sendFrom(page: Uint8Array, length: number): unknown
  /** @param bytes with memory that no one else uses: it is freed after sending */
  sendOwn(bytes: Uint8Array): unknown
}

export class ReplyWriter {
  readonly #output: ReplyOutput
  /** Bytes in the page. */
  #used = 0
  #isResp3 = false

  constructor(output: ReplyOutput) {
    this.#output = output
  }

  /** Bytes of replies that wait to be sent or taken. */
  get waiting(): number {
    return this.#output.bytes + this.#used
  }

  get isResp3(): boolean {
    return this.#isResp3
  }

  get isClosed(): boolean {
    return this.#output.isClosed
  }

  /** Sets the version of the protocol. */
  speak(version: 2 | 3): void {
    this.#isResp3 = version === 3
  }

  /** To be called at the end of each turn. */
  flush(): void {
    if (this.#used === 0) return
    const length = this.#used
    this.#used = 0
    owner = undefined
    this.#output.sendFrom(page, length)
  }

  /** @param text without line breaks */
  simple(text: string): void {
    this.#line('+', text)
  }

  /** @param text begins with a code in capitals, such as `ERR` */
  error(text: string): void {
    this.#line('-', text.replaceAll(/[\r\n]+/g, ' '))
  }

  integer(value: number): void {
    this.#header(':', value)
  }

  /** Of nothing: a key that does not exist. */
  nil(): void {
    this.#line(this.#isResp3 ? '_' : '$-1', '')
  }

  /** The elements have to follow. */
  array(count: number): void {
    this.#header('*', count)
  }

  /** A message that no command has asked for. The elements have to follow. In RESP2 an array. */
  push(count: number): void {
    this.#header(this.#isResp3 ? '>' : '*', count)
  }

  /** @param bytes of a push without its first byte. Others use them, too */
  encodedPush(bytes: Uint8Array): void {
    const { length } = bytes
    const isLong = length > copiedBytesMax
    this.#reserve(1 + (isLong ? 0 : length))
    page[this.#used++] = this.#isResp3 ? greater : star
    if (isLong) {
      this.flush()
      this.#output.sendOwn(new Uint8Array(bytes))
    } else {
      page.set(bytes, this.#used)
      this.#used += length
    }
  }

  /** Names and values have to follow in turn. In RESP2 a flat array. */
  map(pairs: number): void {
    if (this.#isResp3) this.#header('%', pairs)
    else this.#header('*', 2 * pairs)
  }

  /** The elements have to follow. In RESP2 an array. */
  set(count: number): void {
    this.#header(this.#isResp3 ? '~' : '*', count)
  }

  /** @param bytes with memory that no one else uses */
  bulk(bytes: Uint8Array): void {
    const { length } = bytes
    this.#reserve(headerBytesMax + (length > copiedBytesMax ? 0 : length))
    page[this.#used++] = dollar
    this.#digits(length)
    this.#break()
    if (length > copiedBytesMax) {
      this.flush()
      this.#output.sendOwn(bytes)
      this.#reserve(headerBytesMax)
    } else {
      page.set(bytes, this.#used)
      this.#used += length
    }
    this.#break()
  }

  /** @param bytes that others use, too */
  shared(bytes: Uint8Array): void {
    this.bulk(bytes.length > copiedBytesMax ? new Uint8Array(bytes) : bytes)
  }

  text(text: string): void {
    this.bulk(Buffer.from(text))
  }

  /** Text for a person. */
  verbatim(text: string): void {
    if (!this.#isResp3) return this.text(text)
    const bytes = Buffer.from(`txt:${text}`)
    this.#header('=', bytes.length)
    this.#reserve(bytes.length + headerBytesMax)
    page.set(bytes, this.#used)
    this.#used += bytes.length
    this.#break()
  }

  texts(texts: readonly string[]): void {
    this.array(texts.length)
    for (const text of texts) this.text(text)
  }

  /** A name and its value, in a map. */
  pair(name: string, value: string): void {
    this.text(name)
    this.text(value)
  }

  #line(type: string, text: string): void {
    // A character takes at most three bytes.
    const shown = text.length > copiedBytesMax ? text.slice(0, copiedBytesMax) : text
    this.#reserve(3 * shown.length + headerBytesMax)
    this.#used += page.write(type, this.#used, 'latin1')
    this.#used += page.write(shown, this.#used)
    this.#break()
  }

  #header(type: string, value: number): void {
    this.#reserve(headerBytesMax)
    page[this.#used++] = type.charCodeAt(0)
    this.#digits(value)
    this.#break()
  }

  /** Writes a whole number. */
  #digits(value: number): void {
    if (value >= 0 && value < 1_000) {
      if (value >= 100) page[this.#used++] = 0x30 + Math.trunc(value / 100)
      if (value >= 10) page[this.#used++] = 0x30 + (Math.trunc(value / 10) % 10)
      page[this.#used++] = 0x30 + (value % 10)
    } else this.#used += page.write(String(value), this.#used, 'latin1')
  }

  #break(): void {
    page[this.#used++] = cr
    page[this.#used++] = lf
  }

  #reserve(length: number): void {
    if (owner !== this) takePage(this)
    else if (this.#used + length > pageBytes) this.flush()
  }
}

function takePage(writer: ReplyWriter): void {
  owner?.flush()
  owner = writer
}
