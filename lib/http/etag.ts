/** Validators of a value: when a client's copy is still the same bytes. */
import type { Lookup } from '../store/contract/status.ts'

/**
 * Quoted, strong. The record alone does not tell the bytes: after a rebuild, or with another conversion, format or schema, the same
 * record may give other ones. Hence the hash, of what the answer holds.
 *
 * @param suffix of the representation, where a value has several
 */
export function etagOf({ partition, offset, timestamp }: Lookup, body: Uint8Array | string, suffix = ''): string {
  return `"${partition}.${offset}.${timestamp}.${Bun.hash.xxHash32(body).toString(36)}${suffix}"`
}

/** Whether an If-None-Match names `etag`, compared weakly as RFC 9110, 13.1.2 has it. */
export function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag) return true
  // Our tags hold no comma, so that cutting at commas cannot make up one of them.
  return ifNoneMatch.split(',').some((part) => {
    const candidate = part.trim()
    return candidate === '*' || candidate === etag || (candidate.startsWith('W/') && candidate.slice(2) === etag)
  })
}

let cachedSecond = -1
let cachedText = ''

/** An HTTP date; one in the future is given as now, as RFC 9110, 8.8.2.1 wants it. `timestamp` in milliseconds, from 0. */
export function lastModifiedOf(timestamp: number): string {
  const second = Math.floor(Math.min(timestamp, Date.now()) / 1000)
  if (second !== cachedSecond) {
    cachedText = new Date(second * 1000).toUTCString()
    cachedSecond = second
  }
  return cachedText
}
