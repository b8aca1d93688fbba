/**
 * Patterns of MATCH, KEYS and CONFIG GET, as Redis has them: `*`, `?`, `[abc]`, `[^a-c]` and `\` before a character
 * that stands for itself. Bytes are compared, as Redis does.
 *
 * Only the last `*` is tried again, since any earlier one that matched needs no other length. So a comparison takes at
 * most pattern times text steps. A bound on all steps of a pattern covers the rest.
 */
import { CommandError } from './error-reply.ts'
import { patternBytesMax, patternStepsMax } from './limits.ts'

const star = 0x2a
const question = 0x3f
const open = 0x5b
const close = 0x5d
const caret = 0x5e
const dash = 0x2d
const backslash = 0x5c

/** The pattern is too long, or costs too many steps. */
export class GlobTooCostly extends CommandError {
  constructor(found: string) {
    super(`ERR comparing with the pattern: it is ${found}; use a simpler one`)
  }
}

export class Glob {
  /** Bytes that every match begins with. */
  readonly prefix: Uint8Array
  readonly isEverything: boolean
  readonly #pattern: Uint8Array
  #stepsLeft = patternStepsMax
  /** Place after the element that was compared last. */
  #next = 0

  /** @throws GlobTooCostly if it is too long */
  constructor(pattern: Uint8Array) {
    if (pattern.length > patternBytesMax) throw new GlobTooCostly(`longer than ${patternBytesMax} bytes`)
    this.#pattern = new Uint8Array(pattern)
    this.isEverything = pattern.every((byte) => byte === star) && pattern.length > 0
    const special = pattern.findIndex((byte) => [star, question, open, backslash].includes(byte))
    this.prefix = special < 0 ? this.#pattern : this.#pattern.subarray(0, special)
  }

  /** Steps since renew(). */
  get steps(): number {
    return patternStepsMax - this.#stepsLeft
  }

  /** To be called after a pause: the bound is one on the time without one. */
  renew(): void {
    this.#stepsLeft = patternStepsMax
  }

  /** @throws GlobTooCostly */
  matches(text: Uint8Array): boolean {
    const pattern = this.#pattern
    let at = 0
    let from = 0
    let afterStar = -1
    let starFrom = 0
    while (from < text.length) {
      if (--this.#stepsLeft < 0) throw new GlobTooCostly('compared for too long')
      if (at < pattern.length && pattern[at] === star) {
        while (pattern[at] === star) at++
        if (at === pattern.length) return true
        afterStar = at
        starFrom = from
      } else if (at < pattern.length && this.#matchesOne(at, text[from]!)) {
        at = this.#next
        from++
      } else if (afterStar >= 0) {
        at = afterStar
        from = ++starFrom
      } else return false
    }
    while (pattern[at] === star) at++
    return at === pattern.length
  }

  /** Compares the element at a place of the pattern with a byte. */
  #matchesOne(at: number, byte: number): boolean {
    const pattern = this.#pattern
    const element = pattern[at]
    this.#next = at + 1
    if (element === question) return true
    if (element === open) return this.#matchesClass(at + 1, byte)
    if (element !== backslash || at + 1 === pattern.length) return element === byte
    this.#next = at + 2
    return pattern[at + 1] === byte
  }

  /** Compares a class such as `[^a-c\]]` with a byte. One without an end goes to the end of the pattern. */
  #matchesClass(start: number, byte: number): boolean {
    const pattern = this.#pattern
    const isNegated = pattern[start] === caret
    let at = isNegated ? start + 1 : start
    let isIn = false
    for (; at < pattern.length && pattern[at] !== close; at++) {
      if (pattern[at] === backslash && at + 1 < pattern.length) {
        isIn ||= pattern[++at] === byte
      } else if (pattern[at + 1] === dash && at + 2 < pattern.length) {
        const [first, last] = [pattern[at]!, pattern[at + 2]!]
        isIn ||= byte >= Math.min(first, last) && byte <= Math.max(first, last)
        at += 2
      } else isIn ||= pattern[at] === byte
    }
    this.#stepsLeft -= at - start
    this.#next = Math.min(at + 1, pattern.length)
    return isIn !== isNegated
  }
}
