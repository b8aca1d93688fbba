/** Sorted numbers as a person reads them. */

/**
 * Returns for example `0-3, 7` for 0, 1, 2, 3 and 7.
 * @param rangesMax after which the rest is only counted: `0, 2, 4 and 12 more`
 */
export function rangesOf(numbers: readonly number[], rangesMax = Infinity): string {
  const ranges: { first: number; last: number }[] = []
  for (const number of numbers) {
    const range = ranges.at(-1)
    if (range?.last === number - 1) range.last = number
    else ranges.push({ first: number, last: number })
  }
  const shown = ranges.slice(0, rangesMax)
  const named = shown.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  const text = shown.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(', ')
  return named === numbers.length ? text : `${text} and ${numbers.length - named} more`
}
