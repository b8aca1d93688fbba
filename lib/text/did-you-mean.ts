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
  const letters = lettersOf(name)
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= nearestDistance) continue
    // An edit adds a letter, removes one, or both. A start compares each variable of the environment with each setting.
    if (bitsOf(letters ^ lettersOf(candidate)) >= 2 * nearestDistance) continue
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

/** Returns the set of letters that occur, a bit for each. Others share them. */
function lettersOf(name: string): number {
  let letters = 0
  for (let i = 0; i < name.length; i++) letters |= 1 << (name.charCodeAt(i) & 31)
  return letters
}

function bitsOf(set: number): number {
  let bits = 0
  for (let rest = set; rest !== 0; rest &= rest - 1) bits++
  return bits
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
