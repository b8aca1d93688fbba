/**
 * A buffer of bytes that grows, in which JSON is written without an object or a string per part. Keys and values of
 * others are checked on the way in: what is written is valid JSON in UTF-8.
 */
import { compactJson, utf8Length } from './compact-json.ts'

const encoder = new TextEncoder()

const quote = 0x22
const backslash = 0x5c
/** JSON of one byte takes at most six: `\u001f`. */
const escapedBytesMax = 6
/** A number takes at most 17 characters: whole numbers up to 2^53, with a sign. */
const numberBytesMax = 17
const billion = 1_000_000_000
/** Of ten. The last one is above every part of a number. */
const powers = Array.from({ length: 11 }, (_, power) => 10 ** power)
const hexDigits = encoder.encode('0123456789abcdef')

export class JsonBuffer {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  get capacity(): number {
    return this.#bytes.length
  }

  /** Takes back what was written after the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length
  }

  /** Frees the memory. Nothing can be written afterwards. */
  free(): void {
    this.#bytes.buffer.transfer(0)
  }

  /** Returns a copy with memory of its own, which may be freed after it is sent. */
  copy(from = 0): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(from, this.#length)
  }

  /** @param text of ASCII characters */
  ascii(text: string): void {
    const { length } = text
    const bytes = this.#room(length)
    const start = this.#length
    for (let index = 0; index < length; index++) bytes[start + index] = text.charCodeAt(index)
    this.#length = start + length
  }

  text(text: string): void {
    const bytes = this.#room(text.length * 3)
    this.#length += encoder.encodeInto(text, bytes.subarray(this.#length)).written
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length).set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** @param value a whole number, at most 2^53 in either direction */
  number(value: number): void {
    this.#room(numberBytesMax)
    if (value < 0) this.#bytes[this.#length++] = 0x2d
    const rest = Math.abs(value)
    const high = Math.floor(rest / billion)
    if (high > 0) this.#digits(high, 1)
    this.#digits(rest - high * billion, high > 0 ? 9 : 1)
  }

  /**
   * Writes text as a string of JSON.
   * @returns false if the bytes are not UTF-8; then nothing is written
   */
  string(text: Uint8Array): boolean {
    const before = this.#length
    const bytes = this.#room(2 + text.length * escapedBytesMax)
    let at = before
    bytes[at++] = quote
    for (let index = 0; index < text.length;) {
      const byte = text[index]!
      if (byte >= 0x80) {
        const length = utf8Length(text, index)
        if (length === 0) return false
        for (const stop = index + length; index < stop; index++) bytes[at++] = text[index]!
        continue
      }
      if (byte < 0x20) {
        bytes.set([backslash, 0x75, 0x30, 0x30, hexDigits[byte >> 4]!, hexDigits[byte & 15]!], at)
        at += escapedBytesMax
      } else {
        if (byte === quote || byte === backslash) bytes[at++] = backslash
        bytes[at++] = byte
      }
      index++
    }
    bytes[at++] = quote
    this.#length = at
    return true
  }

  /**
   * Writes JSON text without white space between its tokens.
   * @returns false if the bytes are not JSON text; then nothing is written
   */
  json(text: Uint8Array): boolean {
    const end = compactJson(text, this.#room(text.length), this.#length)
    if (end < 0) return false
    this.#length = end
    return true
  }

  base64(bytes: Uint8Array): void {
    this.ascii(`"${bytes.toBase64()}"`)
  }

  /**
   * @param value below a billion
   * @param digits at least so many, with zeros in front
   */
  #digits(value: number, digits: number): void {
    const bytes = this.#bytes
    const start = this.#length
    let end = start + digits
    while (value >= powers[end - start]!) end++
    let rest = value | 0
    for (let at = end - 1; at >= start; at--) {
      // A product is several times as fast as a quotient, and cut off it is the same for all whole numbers of 31 bits.
      const shorter = (rest * 0.1) | 0
      bytes[at] = 0x30 + rest - Math.imul(shorter, 10)
      rest = shorter
    }
    this.#length = end
  }

  #room(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#length + bytes > this.#bytes.length) {
      // The memory before is freed at once: the collector counts live bytes, and dead buffers of megabytes would pile up.
      const capacity = Math.max(this.#length + bytes, 2 * this.#bytes.length)
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(capacity))
    }
    return this.#bytes
  }
}

const scratchBytes = 65_536
/** A larger scratch is not kept for the next answer. */
const keptBytesMax = 2_097_152

let scratch: JsonBuffer | undefined = new JsonBuffer(scratchBytes)

/**
 * Returns what `write` has written, with memory of its own. Answers of all requests are written in one buffer, which has
 * grown already.
 *
 * @param write synchronous
 */
export function written(write: (to: JsonBuffer) => void): Uint8Array<ArrayBuffer> {
  const to = scratch ?? new JsonBuffer(scratchBytes)
  scratch = undefined
  to.truncate(0)
  write(to)
  const bytes = to.copy()
  if (to.capacity <= keptBytesMax) scratch = to
  else to.free()
  return bytes
}
