/**
 * Turns a request's target into the bytes of a key. Splits targets by hand: keys are bytes, not text (`%FF` is a key
 * that decodeURIComponent rejects), and this is the hot path.
 */
import { LatchkeyError } from '../errors.ts'

/** Longer keys could not be sent: Bun bounds request line and headers together at about 16 KB. */
export const keyBytesMax = 12_288

const percent = 0x25
const encoder = new TextEncoder()

/**
 * Returns path and query of a request's URL. The URL is the bare target if the request had no usable Host.
 * @returns an empty string for other forms of a target
 */
export function targetOf(url: string): string {
  if (url.startsWith('/')) return url
  const authority = url.indexOf('://')
  const start = authority < 0 ? -1 : url.indexOf('/', authority + 3)
  return start < 0 ? '' : url.slice(start)
}

/**
 * Decodes a percent-encoded key.
 *
 * @throws LatchkeyError invalid_key: empty, longer than keyBytesMax, or `%` without two hexadecimal digits
 */
export function decodeKey(text: string): Uint8Array {
  if (text.length === 0) {
    throw invalidKey('it is empty; append the key to the path, percent-encoded, or use ?key= for the empty key')
  }
  return decode(text)
}

function decode(text: string): Uint8Array {
  const bytes = text.includes('%') ? decodePercent(text) : encoder.encode(text)
  if (bytes.length > keyBytesMax) throw tooLong()
  return bytes
}

/**
 * Returns the key of a query such as `?key=a%2Fb`. As in forms, `+` is a space. `?key=` is the empty key, which is a
 * valid key in Kafka.
 *
 * @returns undefined if the query has no key
 * @throws LatchkeyError invalid_key, also if the query has several keys
 */
export function keyOfQuery(query: string): Uint8Array | undefined {
  const keys = query.split('&').filter((pair) => pair === 'key' || pair.startsWith('key='))
  if (keys.length > 1) throw invalidKey('the query has several; give one')
  if (keys[0] === undefined) return undefined
  if (keys[0] === 'key') throw invalidKey('the query has "key" without a value; the empty key is ?key=')
  return decodeForm(keys[0].slice('key='.length))
}

/**
 * Returns the bytes of a value in a query. As in forms, `+` is a space.
 *
 * @throws LatchkeyError invalid_key
 */
export function decodeForm(text: string): Uint8Array {
  return decode(text.includes('+') ? text.replaceAll('+', ' ') : text)
}

const unreserved = /^[A-Za-z0-9._~-]$/

/** The inverse of decoding. */
export function percentEncoded(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte)
    return unreserved.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}

function decodePercent(text: string): Uint8Array {
  const encoded = encoder.encode(text)
  let length = 0
  for (let from = 0; from < encoded.length; from++, length++) {
    const byte = encoded[from]!
    if (byte !== percent) {
      encoded[length] = byte
      continue
    }
    const high = hexDigit(encoded[from + 1])
    const low = hexDigit(encoded[from + 2])
    if (high < 0 || low < 0) {
      throw invalidKey('it has a "%" without two hexadecimal digits; the character itself is %25')
    }
    encoded[length] = high * 16 + low
    from += 2
  }
  // A copy, not a view: views of a short-lived array cost the garbage collector more than the copy.
  return encoded.slice(0, length)
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1
}

function tooLong(): LatchkeyError {
  return invalidKey(`it is longer than ${keyBytesMax} bytes`)
}

function invalidKey(found: string): LatchkeyError {
  return new LatchkeyError('invalid_key', `Reading the key: ${found}`)
}
