/** Counts in messages. */

/** @returns e.g. `1 partition` or `4 partitions` */
export function counted(count: number, noun: string): string {
  return `${count} ${nounFor(count, noun)}`
}

/**
 * For log messages, whose numbers are properties.
 * @returns e.g. `partition` for 1, or `partitions`
 */
export function nounFor(count: number, noun: string, plural = `${noun}s`): string {
  return count === 1 ? noun : plural
}
