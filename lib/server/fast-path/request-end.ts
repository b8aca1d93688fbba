/**
 * Finds where a request ends that is passed on. Bun's server is to judge it, and gets all of it as it comes; only what a client sends behind it has to wait
 * for the answer, since Bun's server gives up a connection on which more comes while an answer is being made. Where a request ends is not
 * clear, all that follows belongs to it: then Bun's server refuses it and closes.
 */
import { METHODS } from 'node:http'
import { ChunkedBody } from './chunked-body.ts'
import { HeadText } from './head-text.ts'

interface Body {
  readonly isComplete: boolean
  /** @returns up to where the bytes belong to it */
  take(bytes: Uint8Array, from: number): number
}

class LengthBody implements Body {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  take(bytes: Uint8Array, from: number): number {
    const taken = Math.min(this.#left, bytes.length - from)
    this.#left -= taken
    return from + taken
  }
}

/** Those that Bun's server knows: on others it closes. */
const methods: ReadonlySet<string> = new Set(METHODS)
/** Of another version nobody here knows where a request ends: HTTP/2 begins with more than a head. */
const version1 = /^[^\r\n]* HTTP\/1\.\d\r\n/
/** As Bun's server has it, which refuses what is too long. */
const lengthPattern = /^\d+$/

export class RequestEnd {
  readonly #head = new HeadText()
  #body: Body | undefined

  /** All of it was taken. */
  get isComplete(): boolean {
    return this.#body?.isComplete ?? false
  }

  /** Its answer has no body, whatever its head says. */
  get isHead(): boolean {
    return this.#head.text.startsWith('HEAD ')
  }

  get hasUnknownMethod(): boolean {
    const [method] = this.#head.text.split(' ', 1)
    return this.#body !== undefined && !methods.has(method ?? '')
  }

  /** The connection ends with its answer, though that may not say so. */
  get isLast(): boolean {
    return this.#body !== undefined && !/^\S+ \S+ HTTP\/1\.1\r\n/.test(this.#head.text)
  }

  /** @returns how many of the bytes belong to it */
  take(bytes: Uint8Array): number {
    let from = 0
    if (this.#body === undefined) {
      from = this.#head.add(bytes, 0)
      if (!this.#head.isComplete) return from
      this.#body = bodyOf(this.#head)
    }
    return this.#body.take(bytes, from)
  }
}

function bodyOf(head: HeadText): Body {
  if (!version1.test(head.text)) return new LengthBody(Infinity)
  const lengths = head.valuesOf('content-length')
  const encodings = head.valuesOf('transfer-encoding')
  if (encodings.length === 0 && lengths.length === 0) return new LengthBody(0)
  if (encodings.length === 0 && lengths.length === 1 && lengthPattern.test(lengths[0]!))
    return new LengthBody(Number(lengths[0]))
  if (lengths.length === 0 && encodings.join() === 'chunked') return new ChunkedBody()
  return new LengthBody(Infinity)
}
