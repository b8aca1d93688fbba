/**
 * Parses plain requests, which nearly all clients of a store send: a GET of HTTP/1.1 without a body, whose whole head
 * has arrived, with a target that normalisation does not change. Other requests are not judged here; Bun's server
 * judges them.
 */
import type { RequestHead, RequestHeaders } from '../../http/request-head.ts'
import { hostPattern } from '../request-guard.ts'

/** The bound of Bun's server on request line and headers together. */
export const headCharactersMax = 16_384
/** Bun's server accepts about 200; the exact number is its own. */
const fieldsMax = 100
/** Longer heads are parsed again for each request. */
const keptCharactersMax = 2_048

const method = 'GET '
const version = ' HTTP/1.1\r\n'
const headEnd = '\r\n\r\n'

/** Path and query. No part of a path may begin with a dot: Bun's server normalises `..` and similar parts. */
const plainTarget = /^(?:\/(?!\.|%2e)[\w\-.~!$&'()*+,;=:@%?]*)+$/i
/** RFC 9112, section 5: no space before the colon, no folding, and no bytes beyond ASCII. */
const plainLine = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e]*)$/
/** Headers that announce a body, ask for permission to send one, or ask for another protocol. */
const notPlain: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'expect', 'upgrade'])

/** Version and headers of a request, which clients repeat from one request to the next. */
export class PlainHead implements RequestHead, RequestHeaders {
  readonly method = 'GET'
  /** From the space after the target to the empty line. */
  readonly text: string
  /** The client asks for the connection to end with the response. */
  readonly isLast: boolean
  readonly #fields: ReadonlyMap<string, string>

  private constructor(text: string, fields: ReadonlyMap<string, string>, isLast: boolean) {
    this.text = text
    this.isLast = isLast
    this.#fields = fields
  }

  /** Returns undefined if the head is not plain. */
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

  /** Whether to keep it for the next request. */
  get isShort(): boolean {
    return this.text.length <= keptCharactersMax
  }
}

export interface PlainRequest {
  readonly target: string
  readonly head: PlainHead
  /** Index at which the next request begins. */
  readonly end: number
}

/**
 * @param received one character per byte
 * @param known head of the previous request; an equal head is not parsed again
 * @returns undefined if the request is not plain
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

/** Returns whether bytes contain a whole head, within the bound of Bun's server. */
export function hasHead(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, headCharactersMax)).includes(headEnd)
}

function readHead(received: string, from: number): PlainHead | undefined {
  const end = received.indexOf(headEnd, from)
  if (end < 0) return undefined
  // A copy: a slice would keep all received bytes in memory as long as the head is kept.
  return PlainHead.read(Buffer.from(received.slice(from, end + headEnd.length), 'latin1').toString('latin1'))
}
