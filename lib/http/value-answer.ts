/** 200 or 304 of a lookup that found a value. Becomes a Response, or header lines for a server that writes bytes. */
import type { Representation } from '../definition/presentation.ts'
import { decodeKeptHeaders } from '../store-protocol/header-prefix.ts'
import type { Lookup } from '../store-protocol/status.ts'
import { contentTypes } from './accept.ts'
import { type AddedHeaders, addTo, linesOf } from './added-headers.ts'
import { etagOf, lastModifiedOf, matchesEtag } from './etag.ts'
import { addKafkaHeaders } from './kafka-headers.ts'
import type { RequestHeaders } from './request-head.ts'
import { releaseLarge } from './response-memory.ts'
import { noSniff } from './responses.ts'

/**
 * Suffixes of the ETags. Representations with the same bytes may share a tag (RFC 9110, section 8.8.1), so raw values
 * need no suffix.
 */
const suffixes: { readonly [R in Representation]: string } = { json: '', text: '.text', bytes: '.bytes' }

/** Another instance has answered: its identity. */
export const instanceHeader = 'x-latchkey-instance'

export interface Wanted {
  as: Representation
  /** True if all representations have the same body. */
  isRaw: boolean
  /** Headers of the request. */
  headers: RequestHeaders
}

/**
 * Headers that responses share, by representation and partition. Each response completes a copy: copying Headers takes
 * a third of the time of making them from an object. A Response copies them at once, so one object per representation
 * and partition is enough.
 */
const common: { readonly [R in Representation]: Headers[] } = { json: [], text: [], bytes: [] }

const cacheControl = 'no-cache'
const vary = 'Accept'
const noSniffLine = 'X-Content-Type-Options: nosniff\r\n'

export class ValueAnswer {
  readonly status: 200 | 304
  /** Value of Preference-Applied. */
  preferenceApplied: string | undefined
  /** Not sent with 304. */
  readonly body: Uint8Array | string
  readonly #lookup: Lookup
  readonly #as: Representation
  readonly #etag: string
  #added: AddedHeaders | undefined

  constructor(lookup: Lookup, body: Uint8Array | string, { as, isRaw, headers }: Wanted) {
    this.body = body
    this.#lookup = lookup
    this.#as = as
    this.#etag = etagOf(lookup, body, isRaw ? '' : suffixes[as])
    const ifNoneMatch = headers.get('if-none-match')
    this.status = ifNoneMatch !== null && matchesEtag(ifNoneMatch, this.#etag) ? 304 : 200
  }

  /** Returns the header lines, without those that every response has. */
  headerLines(): string {
    const { partition, offset, timestamp, replicaLag, headerBlock, instance } = this.#lookup
    let lines = this.status === 304 ? '' : `Content-Type: ${contentTypes[this.#as]}\r\n`
    lines += `ETag: ${this.#etag}\r\nCache-Control: ${cacheControl}\r\nVary: ${vary}\r\n${noSniffLine}x-kafka-partition: ${partition}\r\n`
    if (offset >= 0) lines += `x-kafka-offset: ${offset}\r\n`
    if (this.preferenceApplied !== undefined) lines += `Preference-Applied: ${this.preferenceApplied}\r\n`
    if (timestamp >= 0) lines += `Last-Modified: ${lastModifiedOf(timestamp)}\r\n`
    if (this.#added !== undefined) lines += linesOf(this.#added)
    if (instance !== undefined) lines += `${instanceHeader}: ${instance}\r\n`
    if (replicaLag === undefined && headerBlock === undefined) return lines
    const rare = new Headers()
    this.#addRare(rare)
    for (const [name, value] of rare) lines += `${name}: ${value}\r\n`
    return lines
  }

  /** Returns a Response. Call it once: it frees the memory of a large body, since the Response has a copy. */
  toResponse(): Response {
    const { partition, offset, timestamp } = this.#lookup
    const headers = (common[this.#as][partition] ??= commonHeaders(this.#as, partition))
    headers.set('etag', this.#etag)
    if (offset >= 0) headers.set('x-kafka-offset', String(offset))
    else headers.delete('x-kafka-offset')
    if (timestamp >= 0) headers.set('last-modified', lastModifiedOf(timestamp))
    else headers.delete('last-modified')
    const response =
      this.status === 304
        ? new Response(null, { status: 304, headers })
        : new Response(this.body as Uint8Array<ArrayBuffer>, { headers })
    if (this.status === 304) response.headers.delete('content-type')
    if (this.preferenceApplied !== undefined) response.headers.set('preference-applied', this.preferenceApplied)
    if (this.#lookup.instance !== undefined) response.headers.set(instanceHeader, this.#lookup.instance)
    this.#addRare(response.headers)
    if (this.#added !== undefined) addTo(response.headers, this.#added)
    if (typeof this.body !== 'string') releaseLarge(this.body)
    return response
  }

  add(headers: AddedHeaders): void {
    this.#added = { ...this.#added, ...headers }
  }

  /** Adds headers that only replicas have, and kept record headers. */
  #addRare(to: Headers): void {
    const { replicaLag, headerBlock } = this.#lookup
    if (replicaLag !== undefined) {
      to.set('x-latchkey-role', 'replica')
      to.set('x-latchkey-lag', shownLag(replicaLag))
    }
    if (headerBlock !== undefined) {
      const omitted = addKafkaHeaders(to, decodeKeptHeaders(this.#lookup))
      if (omitted > 0) to.set('x-latchkey-headers-omitted', String(omitted))
    }
  }
}

/** Value of X-Latchkey-Lag. */
export function shownLag(lag: number | null): string {
  return lag === null ? 'unknown' : String(lag)
}

function commonHeaders(as: Representation, partition: number): Headers {
  return new Headers({
    'content-type': contentTypes[as],
    'cache-control': cacheControl,
    vary,
    ...noSniff,
    'x-kafka-partition': String(partition),
  })
}
