/** Values of the last two minutes, once a second, and the line that they draw. */
export const secondsMax = 120

/** Appends a value and drops the oldest ones. */
export function appended<T>(values: readonly T[], value: T): T[] {
  return [...values, value].slice(-secondsMax)
}

export interface Drawing {
  /** Paths of an SVG: the line, and the area below it. */
  readonly line: string
  readonly area: string
  readonly max: number | null
}

/**
 * Returns paths in a box of `width` by `height`, with the newest value at the right. A value that is null leaves a gap.
 */
export function drawingOf(values: readonly (number | null)[], width: number, height: number): Drawing {
  const known = values.filter((value) => value !== null)
  const max = known.length > 0 ? Math.max(...known) : null
  const first = secondsMax - values.length
  const x = (index: number) => round(((first + index) / (secondsMax - 1)) * width)
  const y = (value: number) => round(height - 1 - (max ? (value / max) * (height - 2) : 0))
  let line = ''
  let area = ''
  let start = -1
  for (let index = 0; index <= values.length; index++) {
    const value = values[index] ?? null
    if (value !== null) {
      line += `${start < 0 ? 'M' : 'L'}${x(index)} ${y(value)}`
      if (start < 0) {
        start = index
        area += `M${x(index)} ${height}`
      }
      area += `L${x(index)} ${y(value)}`
    } else if (start >= 0) {
      area += `L${x(index - 1)} ${height}Z`
      // A value alone is a dot.
      if (start === index - 1) line += 'h.1'
      start = -1
    }
  }
  return { line, area, max }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
