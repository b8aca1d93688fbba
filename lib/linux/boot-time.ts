/**
 * A clock that goes on while the machine is suspended. Those of Bun and Node (performance.now, process.hrtime) are Linux's CLOCK_MONOTONIC, which stands
 * still then. Where the C library is not there to ask, the time of day does: it may jump, and whoever goes by it here loses nothing by a jump.
 */
import { openLibc } from './libc.ts'

const clockBootTime = 7

const libc = openLibc({ clock_gettime: { args: ['i32', 'ptr'], returns: 'i32' } })
/** struct timespec: seconds, nanoseconds. */
const timespec = new BigInt64Array(2)

/** Milliseconds since some moment in the past. */
export function bootTimeMs(): number {
  if (libc?.clock_gettime(clockBootTime, timespec) !== 0) return Date.now()
  return Number(timespec[0]) * 1_000 + Number(timespec[1]) / 1e6
}
