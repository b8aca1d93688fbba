/** 200 or 304: a value that has been found, with what its headers tell. */
import type { Representation } from '../definition/presentation.ts'
import type { Lookup } from '../store/contract/status.ts'
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

export function valueResponse(
  lookup: Lookup,
  body: Uint8Array | string,
  { as, isRaw, headers: asked }: Wanted,
): Response {
  const etag = etagOf(lookup, body, isRaw ? '' : suffixes[as])
  const headers: Record<string, string> = {
    'content-type': contentTypes[as],
    etag,
    'cache-control': 'no-cache',
    vary: 'Accept',
    'x-kafka-partition': String(lookup.partition),
  }
  if (lookup.offset >= 0) headers['x-kafka-offset'] = String(lookup.offset)
  if (lookup.timestamp >= 0) headers['last-modified'] = lastModifiedOf(lookup.timestamp)
  if (lookup.replicaLag !== undefined) {
    headers['x-latchkey-role'] = 'replica'
    headers['x-latchkey-lag'] = lookup.replicaLag === null ? 'unknown' : String(lookup.replicaLag)
  }
  if (lookup.headerBlock !== undefined) {
    const omitted = addKafkaHeaders(headers, keptHeaders(lookup))
    if (omitted > 0) headers['x-latchkey-headers-omitted'] = String(omitted)
  }
  const ifNoneMatch = asked.get('if-none-match')
  if (ifNoneMatch !== null && matchesEtag(ifNoneMatch, etag)) {
    delete headers['content-type']
    return new Response(null, { status: 304, headers })
  }
  return new Response(body as Uint8Array<ArrayBuffer>, { headers })
}
