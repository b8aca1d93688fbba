/** The types of property values. Each parses a text or throws a RangeError that completes "it must be …". */

export interface PropertyType<Value> {
  read: (text: string) => Value
  /** Completes "it must be …". */
  allowed: string
}

export function whole(min: number, max: number): PropertyType<number> {
  return numeric(/^[+-]?\d{1,15}$/, min, max, `a whole number from ${min} to ${max}`)
}

export function decimal(min: number, max: number): PropertyType<number> {
  return numeric(/^[+-]?(\d{1,15}(\.\d{1,9})?|\.\d{1,9})$/, min, max, `a number from ${min} to ${max}`)
}

export function trueOrFalse(): PropertyType<boolean> {
  return choice({ true: true, false: false, t: true, f: false, 1: true, 0: false }, 'true or false')
}

/** One of several words, case-insensitive. */
export function oneOf<Word extends string>(...words: Word[]): PropertyType<Word> {
  return choice(Object.fromEntries(words.map((word) => [word, word])) as Record<string, Word>)
}

/**
 * One of several words, each of which stands for a value.
 * @param allowed the list of words for messages, if it should not show all of them
 */
export function choice<Value>(
  values: Readonly<Record<string, Value>>,
  allowed = listOf(Object.keys(values)),
): PropertyType<Value> {
  return {
    allowed,
    read(given) {
      const word = given.trim().toLowerCase()
      if (!Object.hasOwn(values, word)) throw new RangeError(allowed)
      return values[word]!
    },
  }
}

/** Any text that is not empty, without surrounding space. */
export function text(allowed = 'a text that is not empty'): PropertyType<string> {
  return {
    allowed,
    read(given) {
      if (given.trim() === '') throw new RangeError(allowed)
      return given.trim()
    },
  }
}

/** Kept exactly as given, because spaces may belong to the secret. */
export function secret(): PropertyType<string> {
  const allowed = 'a text that is not empty'
  return {
    allowed,
    read(given) {
      if (given === '') throw new RangeError(allowed)
      return given
    },
  }
}

function numeric(pattern: RegExp, min: number, max: number, allowed: string): PropertyType<number> {
  return {
    allowed,
    read(given) {
      const trimmed = given.trim()
      const value = Number(trimmed)
      if (!pattern.test(trimmed) || value < min || value > max) throw new RangeError(allowed)
      return value
    },
  }
}

function listOf(words: readonly string[]): string {
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
