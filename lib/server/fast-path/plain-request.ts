/**
 * Reads the requests that nearly all clients of a store send, and no others: a GET of HTTP/1.1, without a body, whose whole head has arrived, with a
 * target that means the same however it is normalised. What is anything else is not judged here, but left to Bun's server.
 */
import type { Asking, RequestHeaders } from '../../http/asking.ts'
import { hostPattern } from '../guard.ts'

/** As Bun's server has it, line and headers together. */
export const headCharactersMax = 16_384
/** Bun's server takes some 200; how many exactly is its business. */
const fieldsMax = 100
/** Longer ones are read anew with each request. */
const keptCharactersMax = 2_048

const method = 'GET '
const version = ' HTTP/1.1\r\n'
const headEnd = '\r\n\r\n'

/** Path and query. No part of a path may begin with a dot: `..` and the like are Bun's to take out. */
const plainTarget = /^(?:\/(?!\.|%2e)[\w\-.~!$&'()*+,;=:@%?]*)+$/i
/** RFC 9112, 5: no space before the colon, no folding, and of bytes beyond ASCII none. */
const plainLine = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e]*)$/
/** What announces a body, asks before it sends one, or asks for another protocol. */
const notPlain: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect', 'upgrade'])

/** Version and headers of a request, which clients repeat from one request to the next. */
export class PlainHead implements Asking, RequestHeaders {
  readonly method = 'GET'
  /** From the space behind the target to the empty line. */
  readonly text: string
  /** The client wants the connection to end with the answer. */
  readonly isLast: boolean
  readonly #fields: ReadonlyMap<string, string>

  private constructor(text: string, fields: ReadonlyMap<string, string>, isLast: boolean) {
    this.text = text
    this.isLast = isLast
    this.#fields = fields
  }

  /** Undefined where it is anything but plain. */
  static read(text: string): PlainHead | undefined {
    if (!text.startsWith(version)) return undefined
    const fields = new Map<string, string>()
    for (const line of text.slice(version.length, -headEnd.length).split('\r\n')) {
      const [, name, value] = plainLine.exec(line) ?? []
      if (name === undefined || value === undefined) return undefined
      const field = name.toLowerCase()
      if (notPlain.has(field) || fields.has(field) || fields.size === fieldsMax) return undefined
      fields.set(field, value.trim())
    }
    const host = fields.get('host')
    if (!host || !hostPattern.test(host)) return undefined
    const connection = fields.get('connection')?.toLowerCase() ?? 'keep-alive'
    if (connection !== 'keep-alive' && connection !== 'close') return undefined
    return new PlainHead(text, fields, connection === 'close')
  }

  get headers(): RequestHeaders {
    return this
  }

  get(name: string): string | null {
    return this.#fields.get(name) ?? null
  }

  /** Whether it is worth keeping for the next request. */
  get isShort(): boolean {
    return this.text.length <= keptCharactersMax
  }
}

export interface PlainRequest {
  readonly target: string
  readonly head: PlainHead
  /** Where the next one begins. */
  readonly end: number
}

/**
 * @param received a character for each byte
 * @param known head of the request before; one that is the same is not taken apart again
 * @returns undefined where it is anything but plain
 */
export function readPlainRequest(received: string, from: number, known?: PlainHead): PlainRequest | undefined {
  if (!received.startsWith(method, from)) return undefined
  const targetFrom = from + method.length
  const targetEnd = received.indexOf(' ', targetFrom)
  if (targetEnd < 0) return undefined
  const head = known && received.startsWith(known.text, targetEnd) ? known : readHead(received, targetEnd)
  if (head === undefined) return undefined
  const end = targetEnd + head.text.length
  const target = received.slice(targetFrom, targetEnd)
  return end - from <= headCharactersMax && plainTarget.test(target) ? { target, head, end } : undefined
}

function readHead(received: string, from: number): PlainHead | undefined {
  const end = received.indexOf(headEnd, from)
  if (end < 0) return undefined
  // A copy: a slice would keep all that was received as long as the head is kept.
  return PlainHead.read(Buffer.from(received.slice(from, end + headEnd.length), 'latin1').toString('latin1'))
}
