/** JSON of two implementations, compared by what it says. */

/**
 * Where they differ; undefined where they do not. Our 64-bit numbers are numbers as far as those are exact, Java's are strings; our extensions have their
 * full names in brackets, Java's are named as fields are.
 */
export function differenceOf(java: unknown, ours: unknown, path = ''): string | undefined {
  if (typeof java !== 'object' || java === null || typeof ours !== 'object' || ours === null) {
    return isSame(java, ours, path) ? undefined : `${path}: ${JSON.stringify(java)}, not ${JSON.stringify(ours)}`
  }
  if (Array.isArray(java) !== Array.isArray(ours)) return `${path}: one is an array`
  const left = java as Record<string, unknown>
  const right = Object.fromEntries(Object.entries(ours).map(([name, value]) => [nameInJava(name), value]))
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  for (const name of names) {
    if (!Object.hasOwn(left, name) || !Object.hasOwn(right, name)) {
      return `${path}.${name}: ${JSON.stringify(left[name])}, not ${JSON.stringify(right[name])}`
    }
    const difference = differenceOf(left[name], right[name], `${path}.${name}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

/** `x1007Int64` for `[d2.x1007_int64]`. */
function nameInJava(name: string): string {
  return name.replace(
    /^\[d2\.(\w+)_(\w)(\w*)\]$/,
    (_, start: string, first: string, rest: string) => start + first.toUpperCase() + rest,
  )
}

function isSame(java: unknown, ours: unknown, path: string): boolean {
  if (typeof java === 'number' && typeof ours === 'number') {
    // -0 is 0 in our JSON; Java's shortest float is not always the shortest there is.
    return java === ours || (path.toLowerCase().includes('float') && Math.fround(java) === Math.fround(ours))
  }
  if (typeof java === 'string' && typeof ours === 'number') return path.includes('64') && String(ours) === java
  return java === ours
}
