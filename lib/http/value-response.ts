/** 200 or 304: a value that has been found, with what its headers tell. */
import type { Representation } from '../definition/presentation.ts'
import type { Lookup } from '../contract/status.ts'
import { keptHeaders } from '../store/memory/header-prefix.ts'
import { contentTypes } from './accept.ts'
import { etagOf, lastModifiedOf, matchesEtag } from './etag.ts'
import { addKafkaHeaders } from './kafka-headers.ts'

/** Representations with the same bytes may share a tag (RFC 9110, 8.8.1), so that raw values need none. */
const suffixes: { readonly [R in Representation]: string } = { json: '', text: '.text', bytes: '.bytes' }

export interface Wanted {
  as: Representation
  /** The body is the same, however it is represented. */
  isRaw: boolean
  /** Of the request. */
  headers: Headers
}

/**
 * What answers have in common, by representation and partition, to be completed for each: copying Headers takes a third of the time that
 * making them from an object does. A Response copies them at once, so that one object is enough for all answers of a kind.
 */
const common: { readonly [R in Representation]: Headers[] } = { json: [], text: [], bytes: [] }

export function valueResponse(
  lookup: Lookup,
  body: Uint8Array | string,
  { as, isRaw, headers: asked }: Wanted,
): Response {
  const etag = etagOf(lookup, body, isRaw ? '' : suffixes[as])
  const headers = (common[as][lookup.partition] ??= commonHeaders(as, lookup.partition))
  headers.set('etag', etag)
  if (lookup.offset >= 0) headers.set('x-kafka-offset', String(lookup.offset))
  else headers.delete('x-kafka-offset')
  if (lookup.timestamp >= 0) headers.set('last-modified', lastModifiedOf(lookup.timestamp))
  else headers.delete('last-modified')
  const ifNoneMatch = asked.get('if-none-match')
  const isKnown = ifNoneMatch !== null && matchesEtag(ifNoneMatch, etag)
  const response = isKnown
    ? new Response(null, { status: 304, headers })
    : new Response(body as Uint8Array<ArrayBuffer>, { headers })
  if (isKnown) response.headers.delete('content-type')
  if (lookup.replicaLag !== undefined) {
    response.headers.set('x-latchkey-role', 'replica')
    response.headers.set('x-latchkey-lag', lookup.replicaLag === null ? 'unknown' : String(lookup.replicaLag))
  }
  if (lookup.headerBlock !== undefined) {
    const omitted = addKafkaHeaders(response.headers, keptHeaders(lookup))
    if (omitted > 0) response.headers.set('x-latchkey-headers-omitted', String(omitted))
  }
  return response
}

function commonHeaders(as: Representation, partition: number): Headers {
  return new Headers({
    'content-type': contentTypes[as],
    'cache-control': 'no-cache',
    vary: 'Accept',
    'x-kafka-partition': String(partition),
  })
}
