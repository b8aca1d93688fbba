/**
 * Finds the end of a request that is forwarded. Bun's server judges the request and gets all bytes of it as they come.
 * Bytes after it have to wait for the response, because Bun's server closes a connection on which more arrives while
 * a response is being made. If the end of a request is not clear, all bytes that follow belong to it: then Bun's server
 * refuses it and closes.
 */
import { METHODS } from 'node:http'
import { ChunkedBody } from './chunked-body.ts'
import { HeadText } from './head-text.ts'

interface Body {
  readonly isComplete: boolean
  /** @returns index after the last byte that belongs to the body */
  consume(bytes: Uint8Array, from: number): number
}

class LengthBody implements Body {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  consume(bytes: Uint8Array, from: number): number {
    const taken = Math.min(this.#left, bytes.length - from)
    this.#left -= taken
    return from + taken
  }
}

/** Methods that Bun's server knows. On others it closes. */
const methods: ReadonlySet<string> = new Set(METHODS)
/** For other versions the end of a request is not known here: HTTP/2 begins with more than a head. */
const version1 = /^[^\r\n]* HTTP\/1\.\d\r\n/
/** The same pattern as Bun's server, which refuses lengths that are too long. */
const lengthPattern = /^\d+$/

export class RequestEnd {
  readonly #head = new HeadText()
  #body: Body | undefined

  /** All bytes of line and headers were taken. */
  get hasHead(): boolean {
    return this.#body !== undefined
  }

  /** All bytes of the request were taken. */
  get isComplete(): boolean {
    return this.#body?.isComplete ?? false
  }

  /** The response has no body, independent of its head. */
  get isHead(): boolean {
    return this.#head.text.startsWith('HEAD ')
  }

  get hasUnknownMethod(): boolean {
    return this.hasHead && !methods.has(this.method)
  }

  /** The first word of the request. */
  get method(): string {
    return this.#head.text.split(' ', 1)[0] ?? ''
  }

  /** The connection ends with the response, although the response may not announce it. */
  get isLast(): boolean {
    return this.hasHead && !/^\S+ \S+ HTTP\/1\.1\r\n/.test(this.#head.text)
  }

  /** @returns number of bytes that belong to the request */
  consume(bytes: Uint8Array): number {
    let from = 0
    if (this.#body === undefined) {
      from = this.#head.add(bytes, 0)
      if (!this.#head.isComplete) return from
      this.#body = bodyOf(this.#head)
    }
    return this.#body.consume(bytes, from)
  }
}

function bodyOf(head: HeadText): Body {
  if (!version1.test(head.text)) return new LengthBody(Infinity)
  const lengths = head.valuesOf('content-length')
  const encodings = head.valuesOf('transfer-encoding')
  if (encodings.length === 0 && lengths.length === 0) return new LengthBody(0)
  if (encodings.length === 0 && lengths.length === 1 && lengthPattern.test(lengths[0]!)) {
    return new LengthBody(Number(lengths[0]))
  }
  if (lengths.length === 0 && encodings.join() === 'chunked') return new ChunkedBody()
  return new LengthBody(Infinity)
}
