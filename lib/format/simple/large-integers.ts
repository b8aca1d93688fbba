/**
 * Finds the whole numbers of a JSON text that a double cannot hold. Strings are passed over by looking for where they end: a regular expression with a
 * loop for them costs as much per character, and gives up in silence where the loop goes round too often.
 */

/** So many or more never are: JSON has no leading zeros. */
const inexactDigitsMin = 17
/** Fewer digits are exact. */
const digitRun = /\d{16,}/g
const backslash = 0x5c

/** @param text JSON that has been found to be sound. @returns the same, with those numbers as strings */
export function quoteLargeIntegers(text: string): string {
  let quoted = ''
  let copied = 0
  let position = 0
  let string = text.indexOf('"')
  for (let run = nextRun(text, 0); run !== undefined; run = nextRun(text, position)) {
    // All strings that begin before the run: it may be in the last one.
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

/** Neither a fraction's digits nor an exponent's, and followed by none of them. */
function isWhole(text: string, from: number, to: number): boolean {
  return !'.eE+'.includes(text[from - 1] ?? ' ') && !'.eE'.includes(text[to] ?? ' ')
}

function isInexact(text: string, from: number, run: Run): boolean {
  return run.to - run.from >= inexactDigitsMin || !Number.isSafeInteger(Number(text.slice(from, run.to)))
}

/** @param start of its opening quotation mark. @returns the place behind its closing one */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = end
    while (text.charCodeAt(slashes - 1) === backslash) slashes--
    if ((end - slashes) % 2 === 0) return end + 1
  }
}
