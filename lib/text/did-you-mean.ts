/** Finds the name that was probably meant, for unknown flags and for variables that resemble a setting. */

const distanceMax = 2

/**
 * Returns the known name nearest to `name`, or undefined if none is near enough. The maximum distance is two edits (a
 * letter wrong, missing, extra, or two swapped), one under 8 letters, none under 4.
 */
export function nearName(name: string, known: Iterable<string>): string | undefined {
  const allowed = name.length < 4 ? 0 : name.length < 8 ? 1 : distanceMax
  let nearest: string | undefined
  let nearestDistance = allowed + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= nearestDistance) continue
    const distance = slips(name, candidate)
    if (distance >= nearestDistance) continue
    nearest = candidate
    nearestDistance = distance
  }
  return nearest
}

/** Returns the known flags that end with the words of `name`, for example `--kafka-brokers` for `--brokers`. */
export function longerNames(name: string, known: Iterable<string>): string[] {
  return [...known].filter((candidate) => candidate.endsWith(`-${name}`))
}

/** Optimal string alignment distance (Damerau-Levenshtein without repeated edits of the same place). */
function slips(left: string, right: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column)
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let cost = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1))
      const swapped =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]
      if (swapped) cost = Math.min(cost, beforePrevious[column - 2]! + 1)
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[right.length]!
}
