/** Waits between attempts to connect. */
const firstMs = 500
const maxMs = 10_000

/**
 * Returns the time to wait before an attempt, with jitter: pages of a store that restarts do not connect together.
 * @param failures in a row
 */
export function backoffMs(failures: number, random = Math.random()): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 10)) * (0.75 + random / 2)
}
