/**
 * A clock that continues while the machine is suspended. The clocks of Bun and Node (performance.now, process.hrtime)
 * are Linux's CLOCK_MONOTONIC, which stops during suspension. Without the C library the time of day is used. It may
 * jump; a jump does no harm to the callers.
 */
import { openLibc } from './libc.ts'

const clockBootTime = 7

const libc = openLibc({ clock_gettime: { args: ['i32', 'ptr'], returns: 'i32' } })
/** struct timespec: seconds, nanoseconds. */
const timespec = new BigInt64Array(2)

/** Returns milliseconds since an unspecified moment in the past. */
export function bootTimeMs(): number {
  if (libc?.clock_gettime(clockBootTime, timespec) !== 0) return Date.now()
  return Number(timespec[0]) * 1_000 + Number(timespec[1]) / 1e6
}
