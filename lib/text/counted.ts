/** Counts in messages. */

/** @returns e.g. `1 partition` or `4 partitions` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
