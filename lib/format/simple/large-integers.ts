/**
 * Finds the whole numbers in a JSON text that a double cannot represent. Skips strings by searching for their end. A
 * regular expression with a loop for strings would cost as much for each character, and would silently fail after too
 * many iterations.
 */

/** A whole number with this many digits or more is never exact, because JSON has no leading zeros. */
const inexactDigitsMin = 17
/** Numbers with fewer digits are always exact. */
const digitRun = /\d{16,}/g
const backslash = 0x5c

/**
 * @param text valid JSON
 * @returns the same text, with the inexact numbers as strings
 */
export function quoteLargeIntegers(text: string): string {
  let quoted = ''
  let copied = 0
  let position = 0
  let string = text.indexOf('"')
  for (let run = nextRun(text, 0); run !== undefined; run = nextRun(text, position)) {
    // Skips all strings that begin before the run of digits. The run may be inside the last one.
    while (string >= 0 && string < run.from) {
      position = endOfString(text, string)
      string = text.indexOf('"', position)
      if (position > run.from) break
    }
    if (position > run.from) continue
    position = run.to
    const from = text[run.from - 1] === '-' ? run.from - 1 : run.from
    if (isWhole(text, from, run.to) && isInexact(text, from, run)) {
      quoted += `${text.slice(copied, from)}"${text.slice(from, run.to)}"`
      copied = run.to
    }
  }
  return quoted + text.slice(copied)
}

interface Run {
  readonly from: number
  readonly to: number
}

function nextRun(text: string, from: number): Run | undefined {
  digitRun.lastIndex = from
  const found = digitRun.exec(text)
  return found === null ? undefined : { from: found.index, to: digitRun.lastIndex }
}

/** Whether the digits are a whole number: not part of a fraction or an exponent, and not followed by one. */
function isWhole(text: string, from: number, to: number): boolean {
  return !'.eE+'.includes(text[from - 1] ?? ' ') && !'.eE'.includes(text[to] ?? ' ')
}

function isInexact(text: string, from: number, run: Run): boolean {
  return run.to - run.from >= inexactDigitsMin || !Number.isSafeInteger(Number(text.slice(from, run.to)))
}

/**
 * @param start position of the opening quotation mark
 * @returns the position after the closing one
 */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = end
    while (text.charCodeAt(slashes - 1) === backslash) slashes--
    if ((end - slashes) % 2 === 0) return end + 1
  }
}
