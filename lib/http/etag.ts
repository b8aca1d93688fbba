/** Validators of a value: when a client's copy is still the same bytes. */
import type { Lookup } from '../store-protocol/status.ts'

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

const daySeconds = 86_400
/** Days whose dates are kept as text. */
const daysMax = 4_096
const dates = new Map<number, string>()
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/**
 * An HTTP date; one in the future is given as now, as RFC 9110, 8.8.2.1 wants it. `timestamp` in milliseconds, from 0. Put together of the
 * day and the time: toUTCString() for each lookup takes three times as long.
 */
export function lastModifiedOf(timestamp: number): string {
  const second = Math.floor(Math.min(timestamp, Date.now()) / 1000)
  const day = Math.floor(second / daySeconds)
  const ofDay = second - day * daySeconds
  const hours = Math.floor(ofDay / 3600)
  const minutes = Math.floor(ofDay / 60) % 60
  return `${dateOf(day)}${twoDigits[hours]!}:${twoDigits[minutes]!}:${twoDigits[ofDay % 60]!} GMT`
}

/** `Tue, 14 Nov 2023 ` of a day since the epoch. */
function dateOf(day: number): string {
  const known = dates.get(day)
  if (known !== undefined) return known
  if (dates.size >= daysMax) dates.clear()
  const date = new Date(day * daySeconds * 1000).toUTCString().slice(0, -'hh:mm:ss GMT'.length)
  dates.set(day, date)
  return date
}
