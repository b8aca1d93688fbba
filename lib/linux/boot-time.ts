/**
 * Clocks of Linux that Bun does not have. CLOCK_BOOTTIME continues while the machine is suspended. The clocks of Bun and
 * Node (performance.now, process.hrtime) are CLOCK_MONOTONIC, which stops during suspension, less its value at the start
 * of the process.
 */
import { openLibc } from './libc.ts'

const clockMonotonic = 1
const clockBootTime = 7

const libc = openLibc({ clock_gettime: { args: ['i32', 'ptr'], returns: 'i32' } })
/** struct timespec: seconds, nanoseconds. */
const timespec = new BigInt64Array(2)

/**
 * Returns milliseconds since an unspecified moment in the past. Without the C library the time of day is used. It may
 * jump; a jump does no harm to the callers.
 */
export function bootTimeMs(): number {
  if (libc?.clock_gettime(clockBootTime, timespec) !== 0) return Date.now()
  return Number(timespec[0]) * 1_000 + Number(timespec[1]) / 1e6
}

/** Returns microseconds of CLOCK_MONOTONIC as other processes see it; undefined without the C library. */
export function monotonicMicroseconds(): bigint | undefined {
  if (libc?.clock_gettime(clockMonotonic, timespec) !== 0) return undefined
  return timespec[0]! * 1_000_000n + timespec[1]! / 1_000n
}
