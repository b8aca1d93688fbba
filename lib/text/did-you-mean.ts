/** The name that was probably meant: for unknown flags and for variables that look like a setting but are none. */

const distanceMax = 2

/**
 * The known name nearest to `name`, at most two slips (a letter wrong, missing, too many, or two swapped) away;
 * undefined where none is near enough. Short names must be nearer: one slip under 8 letters, none under 4.
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

/** The known flag that ends with `name`'s words, as `--server-port` for `--port`, where exactly one does. */
export function longerName(name: string, known: Iterable<string>): string | undefined {
  const candidates = [...known].filter((candidate) => candidate.endsWith(`-${name}`))
  return candidates.length === 1 ? candidates[0] : undefined
}

/** Optimal string alignment distance (Damerau-Levenshtein without repeated edits of one place). */
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
