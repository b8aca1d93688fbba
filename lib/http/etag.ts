/** Validators of a value: ETag and Last-Modified. */
import type { Lookup } from '../store-protocol/status.ts'

/**
 * Returns a strong ETag, quoted. Partition, offset and timestamp do not determine the bytes: after a rebuild, or with
 * another conversion, format or schema, the same record may give other bytes. The ETag therefore has a hash of the
 * response body.
 *
 * @param suffix of the representation; empty if the value has only one
 */
export function etagOf({ partition, offset, timestamp }: Lookup, body: Uint8Array | string, suffix = ''): string {
  return `"${partition}.${offset}.${timestamp}.${Bun.hash.xxHash32(body).toString(36)}${suffix}"`
}

/** Whether an If-None-Match names `etag`. The comparison is weak (RFC 9110, section 13.1.2). */
export function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === etag) return true
  // Our ETags contain no comma, so a part never equals one by accident.
  return ifNoneMatch.split(',').some((part) => {
    const candidate = part.trim()
    return candidate === '*' || candidate === etag || (candidate.startsWith('W/') && candidate.slice(2) === etag)
  })
}

const daySeconds = 86_400
/** Maximum number of days whose dates are cached as text. */
const daysMax = 4_096
const dates = new Map<number, string>()
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'))

/**
 * Returns an HTTP date. A date in the future becomes the current time (RFC 9110, section 8.8.2.1). Joins a cached day
 * with the time: toUTCString() for each lookup takes three times as long.
 *
 * @param timestamp in milliseconds, at least 0
 */
export function lastModifiedOf(timestamp: number): string {
  const second = Math.floor(Math.min(timestamp, Date.now()) / 1000)
  const day = Math.floor(second / daySeconds)
  const ofDay = second - day * daySeconds
  const hours = Math.floor(ofDay / 3600)
  const minutes = Math.floor(ofDay / 60) % 60
  return `${dateOf(day)}${twoDigits[hours]!}:${twoDigits[minutes]!}:${twoDigits[ofDay % 60]!} GMT`
}

/** Returns `Tue, 14 Nov 2023 ` for a day since the epoch. */
function dateOf(day: number): string {
  const known = dates.get(day)
  if (known !== undefined) return known
  if (dates.size >= daysMax) dates.clear()
  const date = new Date(day * daySeconds * 1000).toUTCString().slice(0, -'hh:mm:ss GMT'.length)
  dates.set(day, date)
  return date
}
