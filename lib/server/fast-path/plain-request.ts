/**
 * Parses plain requests, which nearly all clients of a store send: of HTTP/1.1, with a head that has arrived completely
 * and a target that normalisation does not change. A GET has no body. A QUERY or POST for many keys has one whose end is
 * clear: one Content-Length, no Transfer-Encoding. Other requests are not judged here; Bun's server judges them.
 */
import { readsBody } from '../../http/collection.ts'
import { bodyBytesMax } from '../../http/key-list.ts'
import type { RequestHead, RequestHeaders } from '../../http/request-head.ts'
import { hostPattern } from '../request-guard.ts'
import { headEnd } from './head-text.ts'

/** The bound of Bun's server on request line and headers together. */
export const headCharactersMax = 16_384
/** Bun's server accepts about 200; the exact number is its own. */
const fieldsMax = 100
/** Longer heads are parsed again for each request. */
const keptCharactersMax = 2_048

const get = 'GET '
/** Methods of requests with a body. */
const bodyMethods = ['QUERY', 'POST'] as const
const version = ' HTTP/1.1\r\n'

/** Path and query. No part of a path may begin with a dot: Bun's server normalises `..` and similar parts. */
const plainTarget = /^(?:\/(?!\.|%2e)[\w\-.~!$&'()*+,;=:@%?]*)+$/i
/** RFC 9112, section 5: no space before the colon, no folding, and no bytes beyond ASCII. */
const plainLine = /^([\w!#$%&'*+.^`|~-]+):([\t\x20-\x7e]*)$/
/** Headers that announce a body without its length, ask for permission to send one, or ask for another protocol. */
const notPlain: ReadonlySet<string> = new Set(['transfer-encoding', 'expect', 'upgrade'])
const plainLength = /^(?:0|[1-9]\d{0,6})$/

/** Version and headers of a request, which clients repeat from one request to the next. */
export class PlainHead implements RequestHead, RequestHeaders {
  readonly method = 'GET'
  /** The connection is not closed as idle while its answer is made. */
  readonly waitMsMax = 60_000
  /** From the space after the target to the empty line. */
  readonly text: string
  /** The client asks for the connection to end with the response. */
  readonly isLast: boolean
  /** Undefined without a Content-Length. */
  readonly bodyLength: number | undefined
  readonly #fields: ReadonlyMap<string, string>

  private constructor(
    text: string,
    fields: ReadonlyMap<string, string>,
    isLast: boolean,
    bodyLength: number | undefined,
  ) {
    this.text = text
    this.isLast = isLast
    this.bodyLength = bodyLength
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
    const length = fields.get('content-length')
    if (length !== undefined && (!plainLength.test(length) || Number(length) > bodyBytesMax)) return undefined
    return new PlainHead(text, fields, connection === 'close', length === undefined ? undefined : Number(length))
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
  /** What the request handler gets; undefined if the body has not arrived completely. */
  readonly request: RequestHead | undefined
  /** Index at which the next request begins. */
  readonly end: number
}

/**
 * @param received one character per byte
 * @param known head of the previous request; an equal head is not parsed again
 * @returns undefined if the request is not plain
 */
export function readPlainRequest(received: string, from: number, known?: PlainHead): PlainRequest | undefined {
  if (!received.startsWith(get, from)) return readBodyRequest(received, from, known)
  const plain = readWithoutBody(received, from, get.length, known)
  if (plain === undefined || plain.head.bodyLength !== undefined) return undefined
  plain.request = plain.head
  return plain
}

function readBodyRequest(received: string, from: number, known: PlainHead | undefined): PlainRequest | undefined {
  const method = bodyMethods.find((name) => received.startsWith(`${name} `, from))
  if (method === undefined) return undefined
  const plain = readWithoutBody(received, from, method.length + 1, known)
  if (plain?.head.bodyLength === undefined || !readsBody(method, plain.target)) return undefined
  const bodyAt = plain.end
  plain.end += plain.head.bodyLength
  if (plain.end > received.length) return plain
  const body = Buffer.from(received.slice(bodyAt, plain.end), 'latin1')
  plain.request = { method, headers: plain.head, body }
  return plain
}

/** Reads line and headers. The result is one object, which the caller completes: this is the hot path. */
function readWithoutBody(
  received: string,
  from: number,
  methodLength: number,
  known: PlainHead | undefined,
): { -readonly [M in keyof PlainRequest]: PlainRequest[M] } | undefined {
  const targetFrom = from + methodLength
  const targetEnd = received.indexOf(' ', targetFrom)
  if (targetEnd < 0) return undefined
  const head = known && received.startsWith(known.text, targetEnd) ? known : readHead(received, targetEnd)
  if (head === undefined) return undefined
  const end = targetEnd + head.text.length
  const target = received.slice(targetFrom, targetEnd)
  return end - from <= headCharactersMax && plainTarget.test(target)
    ? { target, head, request: undefined, end }
    : undefined
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
