/**
 * Checks that bytes are JSON text (RFC 8259) and copies them without white space between tokens, in one pass. Digits,
 * escapes and member order stay as they are, which parsing and printing would change. A value that other software wrote
 * can then stand inside of our JSON, in one line, and cannot break out of it.
 */

/** Deeper values are not embedded: parsers of clients have bounds, too (jq 1.6 at 256, with three levels of ours). */
export const depthMax = 250

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** What may follow. */
const wantsValue = 0
const wantsValueOrEnd = 1
const wantsName = 2
const wantsNameOrEnd = 3
const wantsColon = 4
const wantsCommaOrEnd = 5

/** Bytes of a string that are copied as they are: visible ASCII and space, without quote and backslash. */
export const isPlain = new Uint8Array(256).fill(1, 0x20, 0x80)
isPlain[quote] = 0
isPlain[backslash] = 0

/** 1 for each open object, 0 for each open array. Used within one call only. */
const isObject = new Uint8Array(depthMax)

/**
 * @param to has room for all of `from` after `at`
 * @returns index after the last byte written; -1 if the bytes are not JSON text, or too deep
 */
export function compactJson(from: Uint8Array, to: Uint8Array, at: number): number {
  const end = from.length
  let next = at
  let depth = 0
  let wants = wantsValue
  for (let index = 0; index < end;) {
    const byte = from[index]!
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      index++
      continue
    }
    if (byte === quote) {
      if (wants === wantsColon || wants === wantsCommaOrEnd) return -1
      const length = copyString(from, index, to, next)
      if (length < 0) return -1
      index += length
      next += length
      wants = wants >= wantsName ? wantsColon : wantsCommaOrEnd
    } else if (byte === comma) {
      if (wants !== wantsCommaOrEnd || depth === 0) return -1
      wants = isObject[depth - 1] === 1 ? wantsName : wantsValue
      to[next++] = byte
      index++
    } else if (byte === colon) {
      if (wants !== wantsColon) return -1
      wants = wantsValue
      to[next++] = byte
      index++
    } else if (byte === openBrace || byte === openBracket) {
      if (wants > wantsValueOrEnd || depth === depthMax) return -1
      isObject[depth++] = byte === openBrace ? 1 : 0
      wants = byte === openBrace ? wantsNameOrEnd : wantsValueOrEnd
      to[next++] = byte
      index++
    } else if (byte === closeBrace || byte === closeBracket) {
      const isBrace = byte === closeBrace
      if (depth === 0 || (isObject[depth - 1] === 1) !== isBrace) return -1
      if (wants !== wantsCommaOrEnd && wants !== (isBrace ? wantsNameOrEnd : wantsValueOrEnd)) return -1
      depth--
      wants = wantsCommaOrEnd
      to[next++] = byte
      index++
    } else {
      if (wants > wantsValueOrEnd) return -1
      const length = isNumberStart(byte) ? numberLength(from, index) : literalLength(from, index)
      if (length === 0) return -1
      for (let copied = 0; copied < length; copied++) to[next++] = from[index++]!
      wants = wantsCommaOrEnd
    }
  }
  return depth === 0 && wants === wantsCommaOrEnd ? next : -1
}

/** @returns number of bytes, quotes included; -1 if it is not a string of JSON in UTF-8 */
function copyString(from: Uint8Array, start: number, to: Uint8Array, at: number): number {
  const end = from.length
  const shift = at - start
  to[at] = quote
  let index = start + 1
  while (index < end) {
    const byte = from[index]!
    if (isPlain[byte] === 1) {
      to[index + shift] = byte
      index++
      continue
    }
    if (byte === quote) {
      to[index + shift] = quote
      return index + 1 - start
    }
    const length = byte === backslash ? escapeLength(from, index) : utf8Length(from, index)
    if (length === 0) return -1
    for (const stop = index + length; index < stop; index++) to[index + shift] = from[index]!
  }
  return -1
}

/** Returns the length of an escape; 0 if there is none. */
function escapeLength(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1]) {
    case 0x22: // "
    case 0x5c: // \
    case 0x2f: // /
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return 2
    case 0x75: // u
      return isHex(bytes[at + 2]) && isHex(bytes[at + 3]) && isHex(bytes[at + 4]) && isHex(bytes[at + 5]) ? 6 : 0
    default:
      return 0
  }
}

function isHex(byte = 0): boolean {
  const letter = byte | 0x20
  return isDigit(byte) || (letter >= 0x61 && letter <= 0x66)
}

function isDigit(byte = 0): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/**
 * Returns the length of a character beyond ASCII in UTF-8 (RFC 3629); 0 if the bytes are none: continued too early or
 * too late, longer than needed, a surrogate, or above U+10FFFF.
 */
export function utf8Length(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!
  const second = bytes[at + 1] ?? 0
  if (first < 0xc2 || first > 0xf4 || (second & 0xc0) !== 0x80) return 0
  if (first < 0xe0) return 2
  if (((bytes[at + 2] ?? 0) & 0xc0) !== 0x80) return 0
  if (first < 0xf0) return (first === 0xe0 && second < 0xa0) || (first === 0xed && second >= 0xa0) ? 0 : 3
  if (((bytes[at + 3] ?? 0) & 0xc0) !== 0x80) return 0
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second >= 0x90) ? 0 : 4
}

function isNumberStart(byte: number): boolean {
  return byte === 0x2d || isDigit(byte)
}

/** Returns the length of a number; 0 if there is none. What follows a number is checked as the next token. */
function numberLength(bytes: Uint8Array, start: number): number {
  let at = start
  if (bytes[at] === 0x2d) at++
  if (bytes[at] === 0x30) at++
  else {
    if (!isDigit(bytes[at])) return 0
    at = digitsEnd(bytes, at)
  }
  if (bytes[at] === 0x2e) {
    if (!isDigit(bytes[at + 1])) return 0
    at = digitsEnd(bytes, at + 1)
  }
  if (((bytes[at] ?? 0) | 0x20) === 0x65) {
    const sign = bytes[at + 1]
    const from = sign === 0x2b || sign === 0x2d ? at + 2 : at + 1
    if (!isDigit(bytes[from])) return 0
    at = digitsEnd(bytes, from)
  }
  return at - start
}

function digitsEnd(bytes: Uint8Array, from: number): number {
  let at = from
  while (isDigit(bytes[at])) at++
  return at
}

const literals = ['true', 'false', 'null'].map((word) => new TextEncoder().encode(word))

/** Returns the length of `true`, `false` or `null`; 0 if there is no such word. */
function literalLength(bytes: Uint8Array, at: number): number {
  const literal = literals.find((word) => word.every((byte, index) => bytes[at + index] === byte))
  return literal?.length ?? 0
}
